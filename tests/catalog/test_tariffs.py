"""The tariff's rows: what the text says, every hour priced, and clear words for rows that leave a gap."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from streams.catalog.site_file import AVERAGE_PRICE
from streams.catalog.tariffs import FOLDER, SLOTS, in_force, load_tariffs
from streams.domain.findings import CatalogError

TARIFFS = load_tariffs()


def altered(folder: Path, file: str, old: str, new: str) -> Path:
    """A copy of the tariff's files with one change."""
    copied = shutil.copytree(FOLDER, folder / "tariffs")
    text = (copied / file).read_text(encoding="utf-8")
    assert old in text
    (copied / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return copied


def test_the_plans_are_those_of_low_high_and_extra_high_voltage() -> None:
    assert TARIFFS.plans == ("LV_flat", "LV_2T", "LV_3T", "HV_2T", "HV_3T", "EHV_2T", "EHV_3T")
    assert AVERAGE_PRICE not in TARIFFS.plans


def test_every_price_of_the_energy_charge_is_that_of_the_text() -> None:
    day = date(2026, 1, 1)
    table = {
        "LV_flat": "all 4.08 3.87",
        "LV_2T": "peak 5.54 5.39 sat_semi 2.76 2.65 off 2.27 2.15",
        "LV_3T": "peak 8.12 - semi 5.02 4.86 sat_semi 2.50 2.40 off 2.23 2.12",
        "HV_2T": "peak 6.75 6.37 sat_semi 2.77 2.54 off 2.71 2.46",
        "HV_3T": "peak 9.39 - semi 5.85 5.47 sat_semi 2.60 2.41 off 2.53 2.32",
        "EHV_2T": "peak 6.17 5.79 sat_semi 2.73 2.48 off 2.55 2.28",
        "EHV_3T": "peak 8.69 - semi 5.38 5.03 sat_semi 2.50 2.31 off 2.40 2.18",
    }
    for plan, text in table.items():
        words = text.split()
        for band, *pair in zip(words[::3], words[1::3], words[2::3], strict=True):
            for season, price in zip(("summer", "non_summer"), pair, strict=True):
                if price == "-":
                    with pytest.raises(ValueError, match=f"{plan}: expected one of .*; got non_summer peak"):
                        TARIFFS.price(plan, season, band, day)
                else:
                    assert TARIFFS.price(plan, season, band, day) == Fraction(price)
    numbers = [word for text in table.values() for word in text.split() if word[0].isdigit()]
    assert len(TARIFFS.prices) == len(numbers) == 41


def test_basic_charges_depend_on_season_and_only_low_voltage_pays_for_the_account() -> None:
    day = date(2026, 1, 1)
    assert TARIFFS.basic_price("HV_3T", "regular", "summer", day) == Fraction("223.6")
    assert TARIFFS.basic_price("HV_2T", "non_summer", "non_summer", day) == Fraction("166.9")
    assert TARIFFS.basic_price("HV_2T", "non_summer", "summer", day) == 0
    assert TARIFFS.basic_price("EHV_3T", "off", "non_summer", day) == Fraction("32.1")
    assert TARIFFS.basic_price("LV_3T", "account", "summer", day) == Fraction("262.5")
    assert TARIFFS.basic_price("LV_flat", "account", "summer", day) == 0
    assert TARIFFS.basic_price("HV_3T", "account", "summer", day) == 0


def test_every_row_names_its_source_and_a_year_has_its_off_peak_days() -> None:
    for rows in (TARIFFS.prices, TARIFFS.windows, TARIFFS.seasons, TARIFFS.basic, TARIFFS.limits):
        assert rows
        assert all(row.source.startswith("Taipower") for row in rows)
    days = [row.day for row in TARIFFS.off_peak_days]
    assert len(days) == len(set(days)) and days == sorted(days)
    assert {day.year for day in days} == {2023, 2024, 2025, 2026, 2027}
    assert all(row.unverified for row in TARIFFS.off_peak_days if row.day < date(2025, 10, 1))


def test_lunar_new_year_is_seven_off_peak_days_and_no_day_in_lieu() -> None:
    off = {row.day for row in TARIFFS.off_peak_days}
    assert {date(2026, 2, 15) + timedelta(n) for n in range(7)} <= off
    assert {date(2026, 6, 19), date(2026, 9, 25), date(2026, 9, 28), date(2026, 10, 25), date(2025, 12, 25)} <= off
    assert date(2026, 2, 27) not in off  # in lieu of Saturday 2026-02-28
    assert date(2024, 9, 28) not in off  # a holiday only since the version of 2025-10-01
    assert TARIFFS.day_type(date(2026, 2, 28)) == "off_day"  # a Saturday
    assert TARIFFS.day_type(date(2026, 3, 7)) == "saturday"
    assert TARIFFS.day_type(date(2026, 3, 7), [date(2026, 3, 7)]) == "off_day"


@pytest.mark.parametrize(
    ("plan", "first", "last"),
    [
        ("LV_2T", date(2026, 6, 1), date(2026, 9, 30)),
        ("HV_2T", date(2026, 5, 16), date(2026, 10, 15)),
        ("EHV_3T", date(2026, 5, 16), date(2026, 10, 15)),
    ],
)
def test_summer_is_longer_at_high_voltage(plan: str, first: date, last: date) -> None:
    days = [date(2026, 1, 1) + timedelta(n) for n in range(365)]
    summer = [day for day in days if TARIFFS.season(plan, day) == "summer"]
    assert (summer[0], summer[-1]) == (first, last)
    assert len(summer) == (last - first).days + 1


def test_a_day_has_96_quarter_hours() -> None:
    for plan in TARIFFS.plans:
        for day in (date(2026, 7, 6), date(2026, 7, 4), date(2026, 7, 5), date(2026, 12, 1), date(2026, 12, 5)):
            schedule = TARIFFS.schedule(plan, day)
            assert len(schedule.bands) == len(schedule.prices) == SLOTS


def test_an_unknown_plan_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"plan: expected one of LV_flat, .*; got 'HV_4T'"):
        TARIFFS.schedule("HV_4T", date(2026, 1, 1))


def test_the_version_of_a_day_is_the_latest_that_holds_else_the_nearest() -> None:
    first = TARIFFS.seasons[0].model_copy(update={"valid_from": date(2023, 1, 1), "valid_to": date(2023, 12, 31)})
    second = first.model_copy(update={"valid_from": date(2025, 1, 1), "valid_to": None})
    rows = [second, first]
    assert in_force(rows, date(2022, 12, 31)) == ([first], False)
    assert in_force(rows, date(2023, 1, 1)) == ([first], True)
    assert in_force(rows, date(2023, 12, 31)) == ([first], True)
    assert in_force(rows, date(2024, 1, 1)) == ([first], False)
    assert in_force(rows, date(2025, 1, 1)) == ([second], True)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("windows.yaml", "starts: 9, ends: 16", "starts: 9, ends: 15", "3T summer weekday: hours of the bands"),
        ("windows.yaml", "starts: 9, ends: 16", "starts: 8, ends: 16", "expected every hour from 0 to 24 once"),
        ("windows.yaml", "ends: 16", "ends: 16.1", "0.25|multiple"),
        ("prices.yaml", "season: summer, band: peak", "season: summer, band: semi", "LV_2T from 2025-10-01"),
        ("prices.yaml", "price: 4.08", "price: -4.08", "greater than 0"),
        ("prices.yaml", "price: 4.08", "prise: 4.08", "did you mean 'price'"),
    ],
)
def test_rows_that_leave_a_gap_or_a_doubt_are_refused(
    tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    with pytest.raises(CatalogError, match=message) as caught:
        load_tariffs(altered(tmp_path, file, old, new))
    assert all(finding.file is not None and finding.file.name == file for finding in caught.value.findings)
    assert all(finding.line is not None for finding in caught.value.findings)
