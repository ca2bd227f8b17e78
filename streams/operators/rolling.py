"""Rolling energy: the amounts of the last 15 minutes, hour and day at each interval end."""

from __future__ import annotations

import polars as pl

WINDOWS_MS = {"15min": 900_000, "1h": 3_600_000, "24h": 86_400_000}
LONGEST_MS = max(WINDOWS_MS.values())

ROLLING = {
    "place": pl.Int64,
    "ends_ms": pl.Int64,
    **{f"amount_{name}": pl.Int64 for name in WINDOWS_MS},
    **{f"missing_{name}_ms": pl.Int64 for name in WINDOWS_MS},
}


def rolling(facts: pl.DataFrame, from_ms: int) -> pl.DataFrame:
    """Sum each point's facts over the windows that end at its intervals' ends.

    `facts`: place, starts_ms, ends_ms, amount (base units, null where missing), missing_ms, of every interval that
    ends later than `from_ms` − 24 h. Returns ROLLING for ends after `from_ms`: sums of what is known (null where
    nothing is), and how much of each window nothing is known of, time without a fact included. Integers, so the
    sums are the same whatever the start. A revised fact changes the windows of the following 24 h.
    """
    ordered = facts.sort("place", "ends_ms").with_columns(moment=pl.from_epoch("ends_ms", "ms"))
    known_ms = pl.col("ends_ms") - pl.col("starts_ms") - pl.col("missing_ms")
    columns = [pl.col("place"), pl.col("ends_ms")]
    for name, window_ms in WINDOWS_MS.items():
        period = f"{window_ms}ms"
        total = pl.col("amount").fill_null(0).rolling_sum_by("moment", window_size=period).over("place")
        known = pl.col("amount").is_not_null().cast(pl.Int64).rolling_sum_by("moment", window_size=period).over("place")
        columns.append(pl.when(known > 0).then(total).cast(pl.Int64).alias(f"amount_{name}"))
        covered = known_ms.rolling_sum_by("moment", window_size=period).over("place")
        columns.append((window_ms - covered).cast(pl.Int64).alias(f"missing_{name}_ms"))
    return ordered.select(columns).filter(pl.col("ends_ms") > from_ms).select(list(ROLLING))
