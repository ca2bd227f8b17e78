"""The kinds of rules: those that look at readings, scores, ticks and the contract, and every detector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Final

from streams.domain.alerts import Words
from streams.domain.site import PointKind
from streams.operators.detectors.registry import DETECTORS

THRESHOLD, SCORE, SILENCE, DEMAND = "threshold", "score", "silence", "demand"
MODEL_SCORE = "model_score"
LEFT_OUT: Final = nan
"""Default of a number that may be left out without anything standing in for it."""
ALARMING_SCORE: Final = 0.5
"""Anomaly score above which a rule of kind `score` sees something, unless it says otherwise."""

MINUTE_MS = 60_000
MEASURED = frozenset(PointKind) - {PointKind.VIRTUAL}
READ = MEASURED - {PointKind.STATE, PointKind.REGISTER}
"""Kinds of points whose readings are levels or amounts by themselves."""
REGULAR = MEASURED - {PointKind.STATE, PointKind.AMOUNT}
"""Kinds of points that are read on a beat."""

MODELLED = frozenset({PointKind.REGISTER, PointKind.POWER, PointKind.INTERVAL})
"""Kinds of points that a model may explain."""

NO_WORDS: Final = Words()


@dataclass(frozen=True, slots=True)
class RuleKind:
    """What a rule of a kind must, may and must not name.

    `roles` must be named and `optional` may be; without `roles` the rule names `points`, unless it is of the whole
    site. `numbers` are its limits with their defaults (None: must be given). `fits` are the kinds of points it
    can look at, `by_pattern` those of them that a pattern stands for; `for_ms` is how long it must see something where
    the rule does not say. `texts` give unit and meaning of each number, `what` says what the kind sees.
    """

    roles: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    fits: frozenset[PointKind] = frozenset(PointKind)
    by_pattern: frozenset[PointKind] = frozenset(PointKind)
    for_ms: int = 0
    of_site: bool = False
    texts: Mapping[str, str] = field(default_factory=dict)
    what: Words = NO_WORDS


OWN: Final = {
    THRESHOLD: RuleKind(
        numbers={"above": LEFT_OUT, "below": LEFT_OUT, "clear": LEFT_OUT},
        fits=READ,
        for_ms=5 * MINUTE_MS,
        texts={
            "above": "the point's unit; seen above it",
            "below": "the point's unit; seen below it",
            "clear": "the point's unit; over once it is back there, the limit itself where not given",
        },
        what=Words("數值高於或低於界限", "A value above or below a limit"),
    ),
    SCORE: RuleKind(
        numbers={"above": ALARMING_SCORE},
        fits=REGULAR,
        texts={"above": "0 to 1; seen above this anomaly score"},
        what=Words("異常分數高於界限", "An anomaly score above a limit"),
    ),
    MODEL_SCORE: RuleKind(
        numbers={"above": ALARMING_SCORE},
        fits=MODELLED,
        texts={"above": "0 to 1; seen above this score of the asset's model"},
        what=Words("機台模型的異常分數高於界限", "A score of an asset's model above a limit"),
    ),
    SILENCE: RuleKind(
        fits=MEASURED - {PointKind.STATE},
        by_pattern=REGULAR,
        for_ms=30 * MINUTE_MS,
        what=Words("超過 `for` 沒有資料", "Nothing heard for as long as `for` says"),
    ),
    DEMAND: RuleKind(
        numbers={"share": 1.0, "after_min": 5.0, "margin": 0.1},
        of_site=True,
        texts={
            "share": "share of the contract's capacity that the demand must not pass",
            "after_min": "min of a quarter-hour before its projection is believed",
            "margin": "share of the energy still to come that the excess must outweigh",
        },
        what=Words("本時段需量將超過契約容量", "Demand of the running quarter-hour about to pass the contract"),
    ),
}


def kinds() -> dict[str, RuleKind]:
    """Every kind by its name."""
    return OWN | {
        name: RuleKind(
            each.roles,
            each.optional,
            each.numbers or {},
            texts=each.texts or {},
            what=Words(each.what_zh, each.what_en),
        )
        for name, each in DETECTORS.items()
    }
