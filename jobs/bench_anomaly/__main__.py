"""`make bench`: event recall of the anomaly score beside plain rules in the same run, and what the score costs."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from jobs.bench_anomaly.judging import DAY_MS, RATES, Recall, by_chance, counted, recall
from jobs.bench_anomaly.labelled import MINUTE_MS, Labelled, coarser, series_in
from jobs.bench_anomaly.made_up import made_up
from jobs.bench_anomaly.operations import works
from jobs.bench_anomaly.rules import ISOLATION, RULES, SCORE, isolation_forest, side_by_side
from jobs.bench_anomaly.shared import SHARED, inverters, refrigerator
from jobs.bench_anomaly.speed import POINTS, microseconds
from jobs.simulation.clock import Real
from streams.domain.findings import KilowatchError

REPORTED_SERIES = range(5_000, 5_040)
"""Made-up series that nobody looked at before the score stood."""
REPORTED_SITES = (51, 52)
"""Sites likewise."""
QUARTER = 15
COLUMN = 19
Set = tuple[str, list[Labelled]]


def simulated() -> Iterator[Set]:
    """Sets that this makes itself."""
    yield "made-up series, large events", [made_up(seed, large=True) for seed in REPORTED_SERIES]
    yield "made-up series, small events", [made_up(seed, large=False) for seed in REPORTED_SERIES]
    minutes = [each for seed in REPORTED_SITES for each in works(seed)]
    yield "made-up sites at work, minutes", minutes
    yield "made-up sites at work, quarter-hours", [coarser(each, QUARTER) for each in minutes]


def beside(folder: Path) -> Iterator[Set]:
    """Labelled sets of others, where they lie beside the project; says which do not."""
    for name, part, read in (
        ("refrigerator", "fridge_faults", refrigerator),
        ("solar inverters", "pv_inverters", inverters),
    ):
        if (folder / part).is_dir():
            yield name, read(folder / part)
        else:
            print(f"{name}: left out, there is no folder {folder / part}")


def of_folder(folder: Path, *, held_out: bool) -> Iterator[Set]:
    """Series of a folder, a set for each length of interval."""
    every = series_in(folder)
    for interval_ms in sorted({one.interval_ms for one in every}):
        series = [one for one in every if one.interval_ms == interval_ms]
        yield f"{folder.name}, {interval_ms / MINUTE_MS:g} min", series[1::2] if held_out else series


def judged(sets: Sequence[Set]) -> dict[str, dict[str, Recall]]:
    """Recall by set and rule; series of one interval go through the rules side by side, whatever set they are of."""
    every = [one for _, series in sets for one in series]
    scores: dict[str, list[Real]] = {}
    for interval_ms in dict.fromkeys(one.interval_ms for one in every):
        mine = [nth for nth, one in enumerate(every) if one.interval_ms == interval_ms]
        value, minute = side_by_side([every[nth] for nth in mine])
        found = {rule: give(value, minute, interval_ms) for rule, give in RULES.items()}
        found[ISOLATION] = isolation_forest(value)
        for rule, columns in found.items():
            of_rule = scores.setdefault(rule, [np.zeros(0)] * len(every))
            for column, nth in enumerate(mine):
                of_rule[nth] = columns[: len(every[nth].value), column]
    result, begin = {}, 0
    for name, series in sets:
        span = slice(begin, begin + len(series))
        result[name] = {rule: recall(counted(series, of_rule[span])) for rule, of_rule in scores.items()}
        begin = span.stop
    return result


def report(sets: Sequence[Set], results: Mapping[str, Mapping[str, Recall]]) -> None:
    """Print a table a set: recall of each rule, and of the score by kind of event where there are several."""
    columns = "".join(f"{rate:>{COLUMN}g}" for rate in RATES)
    for name, series in sets:
        of_set = results[name]
        kinds = of_set[SCORE].by_kind
        days = sum(len(one.value) * one.interval_ms for one in series) / DAY_MS
        count = sum(number for number, _ in kinds.values())
        print(f"\n{name}: {len(series)} series, {days:,.0f} days, {count} events")
        print(f"{'  recall at false alarms a series and day':<42}{columns}")
        for rule, each in of_set.items():
            cells = zip(each.share, each.low, each.high, strict=True)
            print(
                f"  {rule:<40}"
                + "".join(f"{f'{share:.3f} [{low:.2f}-{high:.2f}]':>{COLUMN}}" for share, low, high in cells)
            )
        print(f"  {'alarms at random times':<40}" + _plain(by_chance(series)))
        for kind, (number, shares) in sorted(kinds.items()) if len(kinds) > 1 else ():
            print(f"    {f'score on {kind} ({number})':<38}" + _plain(shares))


def _plain(shares: Real) -> str:
    """Shares in the columns of those that have a range beside them."""
    return "".join(f"{f'{share:.3f}':>7}{'':12}".rjust(COLUMN) for share in shares.tolist())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m jobs.bench_anomaly", description=__doc__)
    parser.add_argument(
        "--series",
        type=Path,
        action="append",
        metavar="FOLDER",
        help="judge these instead: CSV files with the columns time, value, label, or data of a checkout of NAB",
    )
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="of --series only the second, fourth ... file of each interval by name: of the public sets named in "
        "docs/anomaly.md the others chose constants",
    )
    given = parser.parse_args()
    begun = time.perf_counter()
    try:
        if given.series:
            sets = [each for folder in given.series for each in of_folder(folder, held_out=given.held_out)]
        else:
            sets = [*simulated(), *beside(SHARED)]
        report(sets, judged(sets))
    except KilowatchError as error:
        raise SystemExit(f"bench: {error}") from None
    print("\nin brackets 5 to 95 % of a bootstrap over series; one threshold for all series of a set")
    print(f"score: {microseconds():.1f} µs a point and interval, in batches of {POINTS:,} points")
    print(f"in {time.perf_counter() - begun:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
