"""Measures of a site: what each brought, before it and since, and whether what had to hold was held."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dashboards.choices import MEASURE, MEASURE_SITE, said_columns
from dashboards.looks import CELSIUS, COUNT, HELD, KG_CO2E, KWH, KWH_DEGREE_HOUR, KWH_EACH, LITRE, PLAIN, SHARE
from dashboards.parts import Board, Column, Drawing, Kind, Panel, Section
from dashboards.words import Words

BEFORE: Final = Words("之前", "before")
SINCE: Final = Words("之後", "since")
NO_MEASURE: Final = Words("站檔沒有 measures", "the site's file has no measures")
NO_ENERGY: Final = Words("這項措施不比較電", "this measure compares no energy")
NO_OUTPUT: Final = Words("這項措施沒有 output", "this measure has no output")
NO_FUEL: Final = Words("這項措施不比較油", "this measure compares no fuel")
NO_LIMITS: Final = Words("這項措施沒有條件", "this measure has no condition")
BARS: Final = Drawing(is_bars=True)


def pair(kind: str, unit: str, decimals: int | None = None) -> tuple[Column, Column]:
    """The columns before and since."""
    return (
        Column(name=f"before_{kind}", title=BEFORE, unit=unit, decimals=decimals, steps=PLAIN),
        Column(name=f"after_{kind}", title=SINCE, unit=unit, decimals=decimals, steps=PLAIN),
    )


def by_day(title: Words, says: Words, query: str, unit: str, empty: Words, decimals: int | None = None) -> Panel:
    """One bar a day, of two colours."""
    return Panel(
        kind=Kind.TIME_SERIES,
        title=title,
        says=says,
        query=f"measures/{query}",
        columns=(
            Column(name="before_value", title=BEFORE, colour="orange"),
            Column(name="after_value", title=SINCE, colour="green"),
        ),
        unit=unit,
        decimals=decimals,
        drawing=BARS,
        width=12,
        empty=empty,
    )


CHANGES: Final = (
    ("energy_change", Words("用電", "Energy")),
    ("each_change", Words("每單位用電", "Energy each")),
    ("degree_change", Words("每度時用電", "Energy a °C·h")),
    ("fuel_change", Words("用油", "Fuel")),
    ("output_change", Words("產出", "Output")),
    ("carbon_change", Words("碳排", "Carbon")),
)
BROUGHT: Final = Section(
    Words("每項措施帶來什麼？", "What did each measure bring?"),
    (
        Panel(
            kind=Kind.TABLE,
            title=Words("各項措施", "Measures"),
            says=Words(
                "每列一項，範圍內完整的日子，之前與之後的平均日相比。先看條件：溫度不在範圍內的節省不算節省。這是量到的"
                "比較，沒有調整天氣與訂單；每單位產出、每度時（室外比庫內高的度數×小時）的變化比總量公平。",
                "One row a measure: a mean day since against one before, of the whole days in the range. Look at the "
                "condition first: a saving with the temperature out of its band is none. It compares what was "
                "measured and adjusts for neither weather nor orders; the change for each thing made, or for each "
                "degree-hour that a room was held below the outdoor temperature, is the fairer.",
            ),
            query="measures/effects",
            columns=(
                *(replace(each, width=320) for each in said_columns("title", Words("措施", "Measure"))),
                Column(name="from_day", title=Words("開始", "From"), width=95),
                *(Column(name=name, title=title, unit=SHARE, decimals=1, width=105) for name, title in CHANGES),
                Column(
                    name="in_band_share",
                    title=Words("條件成立", "Held since"),
                    unit=SHARE,
                    decimals=1,
                    steps=HELD,
                    is_coloured=True,
                    width=100,
                ),
                Column(name="days_before", title=Words("之前日數", "Days before"), unit=COUNT, width=95),
                Column(name="days_after", title=Words("之後日數", "Days since"), unit=COUNT, width=95),
            ),
            height=6,
            empty=NO_MEASURE,
        ),
    ),
)
CHOSEN: Final = Section(
    Words("這項措施前後差多少？", "What changed by the one that is chosen, when, and by how much?"),
    (
        Panel(
            kind=Kind.STAT,
            title=Words("平均日用電", "Energy of a mean day"),
            says=Words("措施的電表每日加起來，之前與之後。", "The measure's meters together, before and since."),
            query="measures/energy_mean",
            columns=pair("kwh", KWH),
            width=8,
            empty=NO_ENERGY,
        ),
        Panel(
            kind=Kind.STAT,
            title=Words("平均日碳排", "Emissions of a mean day"),
            says=Words(
                "油與材料用各自的係數，電用該日電網係數。",
                "Fuel and material by their own factors, energy by the site's grid on that day.",
            ),
            query="measures/carbon",
            columns=pair("kgco2e", KG_CO2E, 0),
            width=8,
            empty=NO_MEASURE,
        ),
        Panel(
            kind=Kind.STAT,
            title=Words("條件成立的時間", "Time that the condition held"),
            says=Words(
                "範圍內的時間比例，之前與之後。之後比之前低，先找回溫度，再談節省。",
                "Share of the time within the limits, before and since. Where it fell, mend that before speaking of a "
                "saving.",
            ),
            query="measures/condition",
            columns=pair("share", SHARE, 1),
            width=8,
            empty=NO_LIMITS,
        ),
        by_day(
            Words("每日用電", "Energy by day"),
            Words("措施的電表，每個當地日。", "The measure's meters on each local day."),
            "energy",
            KWH,
            NO_ENERGY,
        ),
        by_day(
            Words("每週每單位用電", "Energy for each thing made or moved, by week"),
            Words("每週用電除以產出。", "Energy over output, by week."),
            "each",
            KWH_EACH,
            NO_OUTPUT,
            2,
        ),
        by_day(
            Words("每度時用電", "Energy a degree-hour by day"),
            Words(
                "每日用電除以度時：室外比庫內高的度數乘以小時。天熱時總用電會上升，這個才比得出冷凍設備的好壞。",
                "Energy over the degree-hours that the room was held below the outdoor temperature. In warm months the "
                "total rises; this tells whether the plant became better.",
            ),
            "degree",
            KWH_DEGREE_HOUR,
            Words("條件不是庫溫，或沒有室外溫度", "the condition is no room's temperature, or there is no outdoor one"),
            2,
        ),
        by_day(
            Words("每日用油", "Fuel by day"),
            Words("措施的油，每個當地日。", "The measure's fuel on each local day."),
            "fuel",
            LITRE,
            NO_FUEL,
        ),
        by_day(
            Words("每日碳排", "Emissions by day"),
            Words("油、材料與電一起。", "Fuel, material and energy together."),
            "emitted",
            KG_CO2E,
            NO_MEASURE,
        ),
        by_day(
            Words("每日產出", "Output by day"),
            Words(
                "做了或搬了多少：節省要在同樣的產出下比。", "What was made or moved: a saving is for the same output."
            ),
            "output",
            COUNT,
            NO_OUTPUT,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("條件：溫度", "Condition: temperature"),
            says=Words(
                "條件的每日平均溫度，與在範圍內的時間比例（右軸）。",
                "Mean temperature of the condition by day, and the share of the time within its limits (right).",
            ),
            query="measures/held",
            columns=(
                Column(name="mean_c", title=Words("平均溫度", "mean"), unit=CELSIUS, decimals=1, colour="blue"),
                Column(
                    name="in_band_share",
                    title=Words("在範圍內", "within limits"),
                    unit=SHARE,
                    colour="green",
                    lowest=0,
                    highest=1,
                    custom={"axisPlacement": "right", "fillOpacity": 0},
                ),
            ),
            drawing=Drawing(fill=0, from_zero=False),
            empty=NO_LIMITS,
        ),
    ),
)
BOARD: Final = Board(
    name="measures",
    title=Words("措施前後", "Before and after"),
    question=Words(
        "每項措施帶來什麼？什麼時候、差多少、溫度與產出有沒有守住？",
        "What did each measure bring: when, how much, and at what temperature or output?",
    ),
    variables=(MEASURE_SITE, MEASURE),
    sections=(BROUGHT, CHOSEN),
    since="now-180d",
)
