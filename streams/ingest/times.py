"""Times of telemetry to UTC milliseconds: ISO 8601, numbers, formats of other products, and local clocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import polars as pl

LATEST_MS: Final = 253_402_300_799_999  # the end of the year 9999
SECONDS_BELOW: Final = 100_000_000_000
DAY_MS: Final = 86_400_000


def epoch_ms(number: pl.Series) -> pl.Series:
    """Int64 milliseconds of a numeric Series of seconds (below 1e11) or milliseconds; null beyond the year 9999."""
    name = number.name
    if number.dtype.is_integer():
        value = pl.col(name).cast(pl.Int64, strict=False)
        seconds = value.is_between(-SECONDS_BELOW, SECONDS_BELOW, closed="none")
        ms = pl.when(seconds).then(value * 1_000).otherwise(value)
    else:
        value = pl.col(name).cast(pl.Float64)
        scaled = pl.when(value.abs() < SECONDS_BELOW).then(value * 1_000).otherwise(value)
        ms = scaled.round().cast(pl.Int64, strict=False)
    ms = pl.when(ms.is_between(-LATEST_MS, LATEST_MS)).then(ms)
    return number.to_frame().select(ms.alias(name)).to_series()


def _iso_ms(form: str, *, blank: bool = False) -> Callable[[pl.Series], pl.Series]:
    """A reader of one ISO 8601 form with an offset; `blank` admits a space in the place of the T."""

    def read(text: pl.Series) -> pl.Series:
        mended = text.str.strip_chars().str.replace(" ", "T", literal=True) if blank else text
        return mended.str.to_datetime(form, time_unit="ms", time_zone="UTC", strict=False).dt.epoch("ms")

    return read


def _number_ms(text: pl.Series) -> pl.Series:
    """Epoch numbers written as text; null for other text."""
    text = text.str.strip_chars()
    whole = text.str.contains(r"^-?\d{1,18}$")
    if whole.all():
        return epoch_ms(text.cast(pl.Int64, strict=False))
    broken = text.str.contains(r"^-?\d{1,18}\.\d*$")
    integers = epoch_ms(text.set(~whole, None).cast(pl.Int64, strict=False))
    return integers.zip_with(integers.is_not_null(), epoch_ms(text.set(~broken, None).cast(pl.Float64, strict=False)))


TIME_FORMS: Final = (
    _iso_ms("%Y-%m-%dT%H:%M:%S%.f%#z"),
    _number_ms,
    _iso_ms("%Y-%m-%dT%H:%M:%S%.f%#z", blank=True),
    _iso_ms("%Y-%m-%dT%H:%M%#z", blank=True),
)


def first_match(text: pl.Series, forms: Sequence[Callable[[pl.Series], pl.Series]]) -> pl.Series:
    """Apply the forms in turn, each to what the ones before left null."""
    parsed = forms[0](text)
    for form in forms[1:]:
        left = (parsed.is_null() & text.is_not_null()).arg_true()
        if not len(left):
            break
        parsed = parsed.scatter(left, form(text.gather(left)))
    return parsed


def times_ms(text: pl.Series) -> pl.Series:
    """Int64 UTC milliseconds of a String Series; null where it is neither ISO 8601 with an offset nor a number."""
    return first_match(text, TIME_FORMS)


def strptime(form: str) -> Callable[[pl.Series], pl.Series]:
    """A reader of one format: Int64 UTC milliseconds if the format has an offset (`%z`), else a naive Datetime."""
    aware = "%z" in form or "%#z" in form
    chrono, zone = form.replace("%z", "%#z"), "UTC" if aware else None

    def read(text: pl.Series) -> pl.Series:
        parsed = text.str.to_datetime(chrono, time_unit="ms", time_zone=zone, strict=False)
        return parsed.dt.epoch("ms") if aware else parsed

    return read


LOCAL_FORMS: Final = tuple(strptime(form) for form in ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d"))


def local_times(text: pl.Series) -> pl.Series:
    """Naive Datetime of ISO 8601 text without an offset; null for other text."""
    return first_match(text.str.strip_chars().str.replace(" ", "T", literal=True), LOCAL_FORMS)


class LocalClock:
    """Turns local times into UTC, block after block in the order of the file.

    A time that the zone skips has no UTC time. One that it shows twice (the clock is set back) goes on in the
    direction of its series, up or down; where that does not tell, it is the earlier of the two.
    """

    def __init__(self, zone: str) -> None:
        """`zone` is an IANA name. `last` holds the last time and the direction (1 or -1) of each series."""
        self.zone = zone
        self.last: dict[str, tuple[int, int]] = {}

    def utc_ms(self, naive: pl.Series, series: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Int64 UTC milliseconds (null where skipped) and Boolean "shown twice" of naive times, in file order."""
        early, late = (
            naive.dt.replace_time_zone(self.zone, ambiguous=which, non_existent="null").dt.epoch("ms")
            for which in ("earliest", "latest")
        )
        twice = (early != late).fill_null(value=False)
        rows = pl.DataFrame({"name": series, "early": early, "late": late}).with_row_index("row")
        rows = rows.filter(pl.col("early").is_not_null())
        doubtful = rows.filter(pl.col("early") != pl.col("late"))["name"].unique()
        for name in doubtful.to_list():
            same = rows.filter(pl.col("name").eq_missing(name))
            early = early.scatter(same["row"], self._follow(name, same["early"].to_list(), same["late"].to_list()))
        self._remember(rows.select("name", early.gather(rows["row"]).alias("time")))
        return early, twice

    def _follow(self, name: str, early: list[int], late: list[int]) -> list[int]:
        """The times of one series, each doubtful one chosen by those before it."""
        chosen: list[int] = []
        last, course = self.last.get(name, (None, 1))
        for first, second in zip(early, late, strict=True):
            time = first
            if last is not None and first != second:
                order = (first, second) if course > 0 else (second, first)
                time = next((choice for choice in order if (choice - last) * course > 0), first)
            if last is not None and time != last:
                course = 1 if time > last else -1
            last = time
            chosen.append(time)
        return chosen

    def _remember(self, rows: pl.DataFrame) -> None:
        """Keep the last time and direction of each series; `rows` has name and time."""
        step = pl.col("time").diff()
        ends = rows.group_by("name").agg(
            pl.col("time").first().alias("first"), pl.col("time").last().alias("last"), step.filter(step != 0).last()
        )
        for name, first, last, course in ends.iter_rows():
            before, direction = self.last.get(name, (first, 1))
            turn = course or first - before
            self.last[name] = (last, (1 if turn > 0 else -1) if turn else direction)
