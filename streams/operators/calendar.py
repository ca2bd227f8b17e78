"""Where a time stands in a site's week: local minutes, with off-peak days like Sundays."""

from __future__ import annotations

from collections.abc import Set
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

Int = NDArray[np.int64]

DAY_MINUTES = 1440
SUNDAY = 6


def minute_of_week(time_ms: Int, zone: ZoneInfo, off_peak_days: Set[date]) -> Int:
    """Local minutes since Monday 0:00; a day of `off_peak_days` (the tariff's holidays) counts as a Sunday."""
    local = pl.Series(time_ms).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC").dt.convert_time_zone(zone.key)
    weekday = local.dt.weekday().cast(pl.Int64) - 1
    if off_peak_days:
        is_holiday = local.dt.date().is_in(sorted(off_peak_days))
        weekday = pl.select(pl.when(is_holiday).then(SUNDAY).otherwise(weekday)).to_series()
    minute = local.dt.hour().cast(pl.Int64) * 60 + local.dt.minute().cast(pl.Int64)
    result: Int = (weekday.cast(pl.Int64) * DAY_MINUTES + minute).to_numpy()
    return result
