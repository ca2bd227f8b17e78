"""What a detector is given, and what it gives back.

A detector is `look(rule, memory, row) -> (memory, sign)`, called once an interval, in order, however the readings were
cut (law 4). `memory` is a small mapping that survives as JSON; it begins empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from streams.domain.alerts import Rule, Sign


@dataclass(frozen=True, slots=True)
class Values:
    """A point over one interval, in the unit that the catalog names for it; all NaN where nothing is known.

    Of a gauge: mean, lowest, highest and last value. Of what is counted: `amount` of the interval in the point's unit
    (kWh, L, pieces), and `mean` its rate an hour (kW, L/h); the others are the mean. `readings` is how many there were
    (of what is counted 0 where the interval is missing, else 1); `is_estimated` says that it spans a gap.
    """

    mean: float
    low: float
    high: float
    last: float
    amount: float
    readings: int
    is_estimated: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One interval of the points that a rule looks at together, by role; `""` is the role of a lone point.

    `local` is when it starts, in the site's zone; `is_off_peak_day` what the tariff says of that day;
    `price_ntd_per_kwh` is the tariff's price then, and `contract_kw` the contract's capacity; NaN where unknown.
    """

    starts_ms: int
    ends_ms: int
    local: datetime
    is_off_peak_day: bool
    price_ntd_per_kwh: float
    contract_kw: float
    by_role: Mapping[str, Values]


Memory = dict[str, Any]
Look = Callable[[Rule, Memory, Row], tuple[Memory, Sign]]


@dataclass(frozen=True, slots=True)
class Detector:
    """How the catalog may use a detector.

    `roles` must be named in a rule (an empty tuple: it looks at `points` one by one), `optional` may be. `numbers` are
    the limits with their defaults (None: must be given), each described by unit and meaning in `texts`.
    """

    kind: str
    look: Look
    roles: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    numbers: Mapping[str, float | None] = None  # type: ignore[assignment]  # always given
    texts: Mapping[str, str] = None  # type: ignore[assignment]  # always given
    what_zh: str = ""
    what_en: str = ""
    check_zh: str = ""
    check_en: str = ""
