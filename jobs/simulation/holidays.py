"""Days on which nobody works: Sundays, Taiwanese public holidays, and the days off that stand in for them."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from streams.catalog.tariffs import SATURDAY, SUNDAY, load_tariffs


@cache
def public_holidays() -> frozenset[date]:
    """The tariff's off-peak days that are no mere Sundays."""
    return frozenset(row.day for row in load_tariffs().off_peak_days)


def is_free(day: date) -> bool:
    """Sundays, public holidays, and the Friday or Monday beside a holiday that falls on a weekend (補假).

    The tariff does not know the latter: they are working days that nobody works.
    """
    holidays = public_holidays()
    if day.weekday() == SUNDAY or day in holidays:
        return True
    after, before = day + timedelta(1), day - timedelta(1)
    return (after.weekday() == SATURDAY and after in holidays) or (before.weekday() == SUNDAY and before in holidays)
