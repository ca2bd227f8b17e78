"""The kinds of fault, and the record of one that took place."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """The faults; `help` says what each is."""

    help: str

    def __new__(cls, value: str, text: str) -> FaultKind:
        """Keep the help text beside the value."""
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.help = text
        return kind

    ROLLOVER = "rollover", "a register wraps at its declared width"
    RESET = "reset", "a register falls to zero without notice; what it counted since its last reading is lost"
    EXCHANGE = "exchange", "a meter is exchanged; closing and opening are declared in the site.yaml written beside"
    GLITCH = "glitch", "one sample and a few of a register are zero, then garbage, and it goes on as before"
    GAP = "gap", "a point is silent for hours; its register counts on"
    LATE = "late", "hours of readings are held back and arrive in one burst hours to days later"
    DUPLICATE = "duplicate", "readings arrive twice, some of the copies much later"
    SHUFFLE = "shuffle", "readings arrive in another order"
    CLOCK_STEP = "clock_step", "a clock is wrong by minutes for some hours: its readings bear wrong times"
    STUCK = "stuck", "a point repeats one value for hours, then goes on with the right one"
    SILENT = "silent", "a point sends nothing any more"
    BACK_STEP = "back_step", "a register goes back by its noise for one reading"


@dataclass(frozen=True)
class Injected:
    """A fault that took place; `energy_knowable`: the sum over the stretch can be told, if not each quarter-hour.

    `spans`: from the last right reading before to the first one after it (UTC), for each time that it struck.
    """

    kind: str
    point: str
    at: str
    detail: str
    energy_knowable: bool
    spans: tuple[tuple[str, str], ...]

    def row(self) -> dict[str, object]:
        """As it stands in faults.json."""
        return asdict(self)
