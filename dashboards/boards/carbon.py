"""Carbon: how much, from what, and by which factors."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dashboards.choices import (
    ESTIMATED_COLUMN,
    HIDDEN_ASSET,
    HOW_SURE,
    MISSING_COLUMN,
    POINT_COLUMN,
    SITE_COLUMN,
    SITES,
    Part,
    narrow,
    parted,
)
from dashboards.looks import COUNT, KG_KWH, PLAIN, SHARE, TONNE, UNSURE, ZERO_IS_GOOD
from dashboards.parts import Board, Column, Drawing, Kind, Panel, Section
from dashboards.words import Words

NO_SOURCES: Final = Words("站檔沒有排放源", "the site's file has no emission sources")

HOW_MUCH: Final = Section(
    Words("排了多少？", "How much did we emit?"),
    (
        *parted(
            Panel(
                kind=Kind.STAT,
                title=Words("範疇一加範疇二", "Scope 1 and 2"),
                says=Words(
                    "地點基礎的碳排，和前一段同樣長的時間相比。",
                    "Location-based emissions, against the span of the same length before.",
                ),
                query="carbon/change",
                columns=(
                    Column(name="mass_tco2e", title=Words("碳排", "emissions"), unit=TONNE, decimals=2, steps=PLAIN),
                    Column(name="change", title=Words("比前期", "change"), unit=SHARE, decimals=1, steps=PLAIN),
                    Column(name="kgco2e_per_kwh", title=Words("每度", "per kWh"), unit=KG_KWH, decimals=3, steps=PLAIN),
                ),
                width=10,
                height=5,
                empty=NO_SOURCES,
            ),
            Part(
                ("kgco2e_per_kwh",),
                Words("每度電", "A kWh"),
                Words(
                    "每度購電的碳排。它上升而用電沒有，多半是柴油或冷媒。",
                    "Emissions per purchased kWh. When they rise and the energy does not, it is mostly fuel or "
                    "refrigerant.",
                ),
                width=4,
            ),
        ),
        *parted(
            Panel(
                kind=Kind.STAT,
                title=Words("範疇一與三", "Scopes 1 and 3"),
                says=Words(
                    "範疇一是自己燒的和漏的；範疇三是站檔裡列的來源。",
                    "Scope 1 is what was burnt and leaked here; scope 3 are the sources of the site's file.",
                ),
                query="carbon/totals",
                columns=(
                    Column(name="scope1_tco2e", title=Words("範疇一", "scope 1"), unit=TONNE, decimals=2, steps=PLAIN),
                    Column(
                        name="scope2_location_tco2e",
                        title=Words("地點基礎", "location"),
                        unit=TONNE,
                        decimals=2,
                        steps=PLAIN,
                    ),
                    Column(
                        name="scope2_market_tco2e",
                        title=Words("市場基礎", "market"),
                        unit=TONNE,
                        decimals=2,
                        steps=PLAIN,
                    ),
                    Column(name="scope3_tco2e", title=Words("範疇三", "scope 3"), unit=TONNE, decimals=2, steps=PLAIN),
                    ESTIMATED_COLUMN,
                    Column(name="unknown_share", title=Words("未知", "unknown"), unit=SHARE, decimals=1, steps=UNSURE),
                ),
                width=14,
                height=5,
                empty=NO_SOURCES,
            ),
            Part(
                ("scope2_location_tco2e", "scope2_market_tco2e"),
                Words("範疇二", "Scope 2"),
                Words("兩種基礎，永遠不相加。", "Two bases, which are never added up."),
                width=5,
            ),
            Part(
                (ESTIMATED_COLUMN.name, "unknown_share"),
                HOW_SURE,
                Words(
                    "「估計」是根據估計或部分缺漏的資料算出的比例；「未知」是缺資料或缺係數而沒有數字的時間。",
                    "Estimated is the share that rests on estimated or partial data; unknown is time without a number, "
                    "because the data or the factor is missing.",
                ),
                width=4,
            ),
        ),
    ),
)
FROM_WHAT: Final = Section(
    Words("來自哪裡？", "From what?"),
    (
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每日各排放源", "Sources by day"),
            says=Words(
                "每個當地日各排放源的碳排。單日突起多半是加油或補冷媒：那是入帳的日子，不是用掉的日子。",
                "Emissions of each local day by source. A single high day is mostly a fill of fuel or refrigerant: "
                "the day it was booked, not the days it was used.",
            ),
            query="carbon/daily",
            unit=TONNE,
            drawing=Drawing(is_bars=True, is_stacked=True),
            width=16,
            empty=NO_SOURCES,
        ),
        Panel(
            kind=Kind.BAR_GAUGE,
            title=Words("各排放源", "Sources"),
            says=Words(
                "範圍內各排放源的碳排，多的在前：從最上面的開始減。",
                "Emissions of each source, most first: begin at the top.",
            ),
            query="carbon/by_source",
            columns=(Column(name="mass_tco2e", unit=TONNE, decimals=2, steps=PLAIN),),
            is_row_wise=True,
            lowest=0,
            width=8,
            empty=NO_SOURCES,
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("各場域", "Sites"),
            says=Words(
                "每列一個場域。每度碳排比別的場域高的，有電以外的排放源。點場域看它的電力。",
                "One row a site. One that emits more a kWh than the others has sources beside electricity. Click a "
                "site for its energy.",
            ),
            query="carbon/sites",
            columns=(
                SITE_COLUMN,
                Column(name="scope1_tco2e", title=Words("範疇一", "Scope 1"), unit=TONNE, decimals=2),
                Column(
                    name="scope2_tco2e", title=Words("範疇二（地點）", "Scope 2 (location)"), unit=TONNE, decimals=2
                ),
                Column(name="scope3_tco2e", title=Words("範疇三", "Scope 3"), unit=TONNE, decimals=2),
                Column(name="kgco2e_per_kwh", title=Words("每度", "Per kWh"), unit=KG_KWH, decimals=3),
                ESTIMATED_COLUMN,
                MISSING_COLUMN,
            ),
            height=9,
            empty=NO_SOURCES,
        ),
    ),
)
FACTORS: Final = Section(
    Words("用哪個係數算的？", "By which factors?"),
    (
        Panel(
            kind=Kind.TABLE,
            title=Words("係數", "Factors"),
            says=Words(
                "每列一個排放源與係數。以 ?provisional 結尾的係數是前一年的，當年的公布後要重算。範疇 0 是備忘項，不計"
                "入合計。「未知」是沒有數字的區間數。",
                "One row a source and factor. A factor that ends in ?provisional is an earlier year's, to be restated "
                "when its own is published. Scope 0 is a memo line beside the totals. Unknown counts intervals "
                "without a number.",
            ),
            query="carbon/factors",
            columns=narrow(
                130,
                SITE_COLUMN,
                Column(name="source", title=Words("排放源", "Source"), width=180),
                HIDDEN_ASSET,
                replace(POINT_COLUMN, width=270),
                Column(name="scope", title=Words("範疇", "Scope"), unit=COUNT, width=80),
                Column(name="factor_id", title=Words("係數", "Factor"), width=250),
                Column(name="location_tco2e", title=Words("地點基礎", "Location"), unit=TONNE, decimals=2),
                Column(name="market_tco2e", title=Words("市場基礎", "Market"), unit=TONNE, decimals=2),
                Column(
                    name="unknown_intervals",
                    title=Words("未知", "Unknown"),
                    unit=COUNT,
                    steps=ZERO_IS_GOOD,
                    is_coloured=True,
                ),
            ),
            height=9,
            empty=NO_SOURCES,
        ),
    ),
)
BOARD: Final = Board(
    name="carbon",
    title=Words("碳排", "Carbon"),
    question=Words("排了多少、來自哪裡、用哪個係數算的？", "How much did we emit, from what, and by which factors?"),
    variables=(SITES,),
    sections=(HOW_MUCH, FROM_WHAT, FACTORS),
    since="now-30d",
)
