"""A free port on loopback, and names that nothing else in the run has."""

from __future__ import annotations

import os
import random
import secrets
import socket
from itertools import count

LOOPBACK = "127.0.0.1"
# Below the ports that systems give to outgoing connections. From that range, a client that knocks at a stopped server
# again and again would in the end be connected to itself, and the server could not come back to its port.
FIRST, LAST = 20_000, 32_000
# A server takes its port seconds after it was found free. So each of the processes that run tests side by side has
# ports of its own, and goes round them: none is given out twice in a while.
SHARES = 8
SIZE = (LAST - FIRST) // SHARES
MINE = FIRST + SIZE * (int(os.environ.get("PYTEST_XDIST_WORKER", f"gw{SHARES - 1}").removeprefix("gw")) % SHARES)
TURNS = count(random.SystemRandom().randrange(SIZE))


def is_free(port: int) -> bool:
    """Whether a server can listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still winding up is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Port of 127.0.0.1 on which nothing listens now."""
    return next(port for turn in TURNS if is_free(port := MINE + turn % SIZE))


def unique_name(prefix: str) -> str:
    """Name for a database or a topic, as `prefix_1f0c…`, in lower case."""
    return f"{prefix}_{secrets.token_hex(6)}"
