"""Kinds of key figures: roles, numbers, and what is tallied of a role's point for each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from streams.domain.kpi import Derived, KpiKind, Tally
from streams.domain.site import Band as Limits
from streams.domain.site import PointKind, Quantity

POWER: Final = frozenset({PointKind.POWER})
GAUGE: Final = frozenset({PointKind.GAUGE})
STATE: Final = frozenset({PointKind.STATE})
SWITCHED: Final = POWER | STATE
SUMMED: Final = frozenset(
    {PointKind.REGISTER, PointKind.POWER, PointKind.INTERVAL, PointKind.AMOUNT, PointKind.VIRTUAL}
)


@dataclass(frozen=True, slots=True)
class Role:
    """What a point of a role must be: its kind and quantity (None is any); `is_needed` where there must be one."""

    fits: frozenset[PointKind]
    quantity: Quantity | None = None
    is_needed: bool = False
    is_several: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a kind: what stands in for it, and what it is. None where it may be left out, and is then unknown.

    `with_role` is the role that it goes with: needed where that is given, without meaning where it is not. It lies
    between `least` and `most`, both included.
    """

    text: str
    default: float | None = None
    with_role: str = ""
    least: float = -math.inf
    most: float = math.inf
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """A tally of a role's point: `low` and `high` name numbers of the row; `word` names words of the row."""

    role: str
    of: str
    tally: Tally
    low: str = ""
    high: str = ""
    word: str = ""


@dataclass(frozen=True, slots=True)
class KpiSpec:
    """One kind: its roles, numbers, ascending numbers, words by role, and tallies."""

    roles: Mapping[str, Role]
    numbers: Mapping[str, Number] = field(default_factory=dict)
    ascending: Sequence[str] = ()
    words: Sequence[str] = ()
    bands: Sequence[Band] = ()


ENERGY: Final = Role(SUMMED, Quantity.ENERGY, is_several=True)
PIECES: Final = Role(SUMMED, Quantity.COUNT, is_several=True)
SPECS: Final[dict[KpiKind, KpiSpec]] = {
    KpiKind.ROOM: KpiSpec(
        roles={
            "temperature": Role(GAUGE, Quantity.TEMPERATURE, is_needed=True),
            "outdoor": Role(GAUGE, Quantity.TEMPERATURE),
            "door": Role(STATE),
            "defrost": Role(STATE),
            "energy": ENERGY,
            "pallets": PIECES,
        },
        numbers={
            "low_c": Number("°C; the band that must hold begins here, without a lower end where not given"),
            "high_c": Number("°C; and ends here", with_role="temperature"),
        },
        ascending=("low_c", "high_c"),
        words=("door", "defrost"),
        bands=(
            Band("temperature_area", "temperature", Tally.AREA),
            Band("in_band", "temperature", Tally.TIME, "low_c", "high_c"),
            Band("above_area", "temperature", Tally.ABOVE, "high_c"),
            Band("below_area", "temperature", Tally.BELOW, "", "low_c"),
            Band("kinetic_area", "temperature", Tally.KINETIC),
            Band("outdoor_area", "outdoor", Tally.AREA),
            Band("door_open", "door", Tally.TIME, word="door"),
            Band("defrosts", "defrost", Tally.STARTS, word="defrost"),
        ),
    ),
    KpiKind.COMPRESSOR: KpiSpec(
        roles={"power": Role(POWER, Quantity.ENERGY, is_needed=True), "energy": ENERGY},
        numbers={"on_kw": Number("kW; it runs from here on", with_role="power", least=0)},
        bands=(
            Band("on_time", "power", Tally.TIME, "on_kw"),
            Band("starts", "power", Tally.STARTS, "on_kw"),
        ),
    ),
    KpiKind.MACHINE: KpiSpec(
        roles={
            "power": Role(POWER, Quantity.ENERGY),
            "execution": Role(STATE),
            "energy": ENERGY,
            "good": PIECES,
            "scrap": PIECES,
        },
        numbers={
            "idle_kw": Number("kW; idle from here on, off below", with_role="power", least=0),
            "setup_kw": Number("kW; set up from here on", with_role="power", least=0),
            "cutting_kw": Number("kW; cutting from here on", with_role="power", least=0),
            "planned_h": Number(
                "h of a working day (Monday to Friday) planned to be busy (ISO 22400: PBT)", least=0.01, most=24
            ),
            "ideal_s": Number("s that a piece takes at best (ISO 22400: PRI)", least=0.001),
        },
        ascending=("idle_kw", "setup_kw", "cutting_kw"),
        words=("idle", "setup", "cutting"),
        bands=(
            Band("off_time", "power", Tally.TIME, "", "idle_kw"),
            Band("idle_time", "power", Tally.TIME, "idle_kw", "setup_kw"),
            Band("setup_time", "power", Tally.TIME, "setup_kw", "cutting_kw"),
            Band("cutting_time", "power", Tally.TIME, "cutting_kw"),
            Band("idle_energy", "power", Tally.AREA, "idle_kw", "setup_kw"),
            Band("setup_energy", "power", Tally.AREA, "setup_kw", "cutting_kw"),
            Band("cutting_energy", "power", Tally.AREA, "cutting_kw"),
            Band("setups", "power", Tally.STARTS, "setup_kw", "cutting_kw"),
            Band("idle_time", "execution", Tally.TIME, word="idle"),
            Band("setup_time", "execution", Tally.TIME, word="setup"),
            Band("cutting_time", "execution", Tally.TIME, word="cutting"),
            Band("setups", "execution", Tally.STARTS, word="setup"),
        ),
    ),
    KpiKind.FURNACE: KpiSpec(
        roles={
            "temperature": Role(GAUGE, Quantity.TEMPERATURE, is_needed=True),
            "power": Role(POWER, Quantity.ENERGY),
            "energy": ENERGY,
            "good": PIECES,
            "scrap": PIECES,
        },
        numbers={
            "hot_c": Number("°C; hot enough to forge from here on", with_role="temperature"),
            "too_hot_c": Number("°C; overheated from here on", with_role="temperature"),
            "on_kw": Number("kW; the heater is on from here on", with_role="power", least=0),
        },
        ascending=("hot_c", "too_hot_c"),
        bands=(
            Band("temperature_area", "temperature", Tally.AREA),
            Band("hot_time", "temperature", Tally.TIME, "hot_c"),
            Band("overheated_time", "temperature", Tally.TIME, "too_hot_c"),
            Band("overheated_area", "temperature", Tally.ABOVE, "too_hot_c"),
            Band("heater_time", "power", Tally.TIME, "on_kw"),
        ),
    ),
    KpiKind.HANDLER: KpiSpec(
        roles={
            "moves": PIECES,
            "fuel": Role(SUMMED, Quantity.VOLUME, is_several=True),
            "energy": ENERGY,
            "hours": Role(SUMMED, Quantity.DURATION, is_several=True),
            "engine": Role(SWITCHED),
        },
        numbers={
            "engine_on": Number("unit of the point; the engine runs from here on"),
            "hybrid": Number("1 where a battery helps the engine", default=0.0, least=0, most=1),
            "fuel_ntd_per_l": Number("NTD a litre of fuel", least=0),
        },
        words=("engine",),
        bands=(
            Band("engine_time", "engine", Tally.TIME, "engine_on", word="engine"),
        ),
    ),
    KpiKind.LOAD: KpiSpec(
        roles={"energy": Role(SUMMED, Quantity.ENERGY, is_needed=True, is_several=True)},
        numbers={
            "from_h": Number("local hour; work begins, Monday to Friday", default=8.0, least=0, most=23, is_whole=True),
            "to_h": Number("local hour; work ends", default=18.0, least=1, most=24, is_whole=True),
        },
        ascending=("from_h", "to_h"),
    ),
    KpiKind.SOLAR: KpiSpec(
        roles={
            "generation": Role(SUMMED, Quantity.ENERGY, is_needed=True, is_several=True),
            "export": Role(SUMMED, Quantity.ENERGY, is_several=True),
        },
        numbers={
            "kwp": Number("kW of the modules at standard test conditions", least=0.001),
            "export_ntd_per_kwh": Number("NTD a kWh that is sold", least=0),
        },
    ),
}  # fmt: skip


def derived_of(
    kind: KpiKind, points: Mapping[str, Sequence[str]], numbers: Mapping[str, float], words: Mapping[str, Sequence[str]]
) -> tuple[tuple[str, Derived], ...]:
    """What is tallied of the points of a row, by the role that each tally has in the views.

    A tally whose number or words are not given is left out, but for the lower end of a band.
    """
    found = []
    for band in SPECS[kind].bands:
        names = points.get(band.of, ())
        is_worded = bool(band.word) and band.word in words
        ends = [name for name in (band.low, band.high) if name and not is_worded]
        open_low = band.tally is Tally.TIME and band.low == "low_c"
        if not names or any(name not in numbers for name in ends if not (open_low and name == band.low)):
            continue
        if band.word and not is_worded and not ends:
            continue
        low, high = (None if is_worded else numbers.get(name) for name in (band.low, band.high))
        if band.role == "in_band" and high is not None:
            high += 0.001  # the band holds its upper end; temperatures are thousandths of a degree
        chosen = tuple(words[band.word]) if is_worded else ()
        found.append(
            (
                band.role,
                Derived(_named(names[0], band.tally, low, high, chosen), names[0], band.tally, low, high, chosen),
            )
        )
    return tuple(found)


def held_of(band: Limits, is_temperature: bool) -> tuple[tuple[str, Derived], ...]:
    """Tallies of the condition of a measure: the time within it, and for its mean the area of a temperature in °C."""
    high = None if band.high is None else band.high + 0.001
    held = Derived(_named(band.point, Tally.TIME, band.low, high, ()), band.point, Tally.TIME, band.low, high)
    area = Derived(_named(band.point, Tally.AREA, None, None, ()), band.point, Tally.AREA)
    return (("in_band", held), ("temperature_area", area)) if is_temperature else (("in_band", held),)


def _named(source: str, tally: Tally, low: float | None, high: float | None, words: Sequence[str]) -> str:
    bounds = "|".join(words) if words else ":".join("" if each is None else f"{each:g}" for each in (low, high))
    return f"{source}#{tally}:{bounds}".removesuffix("::").removesuffix(":")
