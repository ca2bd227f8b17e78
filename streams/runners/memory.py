"""What the allocator keeps of freed memory goes back to the system.

The C library keeps an arena a thread, and whatever lies between long-lived pieces stays resident in it: with batches of
changing size, some hundred megabytes in the course of an hour.
"""

from __future__ import annotations

import ctypes
from typing import Final

GIVE_BACK_S: Final = 10.0
_TRIM: Final = getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back() -> None:
    """Return free pages to the system (`malloc_trim(3)`); nothing where the C library is not glibc."""
    if _TRIM is not None:
        _TRIM(0)
