"""Furnaces of a site: whether they were hot for nothing or too hot, and what a piece takes."""

from __future__ import annotations

from typing import Final

from dashboards.choices import (
    ASSET_COLUMN,
    ENERGY_COLUMN,
    FURNACE,
    FURNACE_SITE,
    HIDDEN_SITE,
    KNOWN_COLUMN,
    TO_ASSET_OF_SERIES,
    narrow,
)
from dashboards.looks import CELSIUS, HOURS, KW, KWH, KWH_EACH, MINUTES, NTD, SHARE, ZERO_IS_BEST
from dashboards.parts import Board, Column, Drawing, Kind, Panel, Section
from dashboards.words import Words

NO_FURNACE: Final = Words("站檔的 kpis 沒有加熱爐", "the site's file has no furnace among its kpis")
NO_PIECES: Final = Words(
    "站檔的加熱爐沒有電表或件數（roles: energy, good）", "no furnace has both a meter and pieces (roles: energy, good)"
)
LIMIT: Final = {"lineStyle": {"fill": "dash", "dash": [10, 10]}, "fillOpacity": 0, "lineWidth": 2}
LINES: Final = Drawing(fill=0)

HOT: Final = Section(
    Words("加熱爐有沒有空燒或過熱？", "Were the furnaces hot for nothing, or too hot?"),
    (
        Panel(
            kind=Kind.TABLE,
            title=Words("各加熱爐", "Furnaces"),
            says=Words(
                "每列一座爐，空燒最久的在前。空燒是爐溫夠熱而那個時段一件都沒有數到；過熱是超過 too_hot_c 的時間。幾座"
                "爐共用一個計數時，每座爐的每件用電都除以全部的件數。點設備看它。",
                "One row a furnace, the one that waited hot longest first: hot enough to forge, and not one piece "
                "counted in the interval. Overheated is time beyond too_hot_c. Where furnaces share a counter, each "
                "one's energy of a piece is by all pieces. Click the asset.",
            ),
            query="furnaces/furnaces",
            columns=narrow(
                115,
                HIDDEN_SITE,
                ASSET_COLUMN,
                Column(name="hot_h", title=Words("夠熱", "Hot"), unit=HOURS, decimals=1),
                Column(name="waiting_hot_h", title=Words("空燒", "Waiting hot"), unit=HOURS, decimals=1),
                Column(name="waiting_hot_kwh", title=Words("空燒用電", "Energy of that"), unit=KWH),
                Column(name="waiting_hot_ntd", title=Words("空燒費用", "Cost of that"), unit=NTD, decimals=1),
                Column(
                    name="overheated_min",
                    title=Words("過熱", "Overheated"),
                    unit=MINUTES,
                    decimals=0,
                    steps=ZERO_IS_BEST,
                    is_coloured=True,
                ),
                ENERGY_COLUMN,
                Column(name="kwh_per_piece", title=Words("每件", "A piece"), unit=KWH_EACH, decimals=3),
                Column(name="yield_share", title=Words("良率", "Yield"), unit=SHARE, decimals=1),
                KNOWN_COLUMN,
            ),
            height=5,
            empty=NO_FURNACE,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("${furnace} 的料溫與加熱功率", "Billet temperature and heater power of ${furnace}"),
            says=Words(
                "左軸料溫，虛線是夠熱與過熱的界線；右軸加熱功率，各時段平均。溫度到頂而功率不降，查溫控；沒有件數時溫"
                "度不降，就是空燒。",
                "Billet temperature on the left with the limits of hot and overheated; heater power on the right, both "
                "means of the interval. Power that stays up at the top: check the control. Temperature that stays up "
                "without pieces: it waits hot.",
            ),
            query="furnaces/course",
            columns=(
                Column(name="billet_c", title=Words("料溫", "billet"), unit=CELSIUS, colour="orange"),
                Column(
                    name="heater_kw",
                    title=Words("加熱功率", "heater"),
                    unit=KW,
                    colour="blue",
                    custom={"axisPlacement": "right", "fillOpacity": 10},
                ),
                Column(name="hot_c", title=Words("夠熱", "hot"), unit=CELSIUS, colour="green", custom=LIMIT),
                Column(name="too_hot_c", title=Words("過熱", "overheated"), unit=CELSIUS, colour="red", custom=LIMIT),
            ),
            decimals=0,
            least="15m",
            drawing=LINES,
            height=9,
            empty=NO_FURNACE,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("${furnace} 每日夠熱時數", "Hours hot by day: ${furnace}"),
            says=Words(
                "綠色時有件數，橙色一件都沒有。橙色在開工前後，就改加熱的起訖時間。",
                "Green with pieces, orange without one. Orange before and after the shift: change when it is heated.",
            ),
            query="furnaces/hours",
            columns=(
                Column(name="forging_h", title=Words("有件數", "with pieces"), colour="green"),
                Column(name="waiting_hot_h", title=Words("空燒", "waiting hot"), colour="orange"),
            ),
            unit=HOURS,
            decimals=1,
            drawing=Drawing(is_bars=True, is_stacked=True),
            empty=NO_FURNACE,
        ),
    ),
)
PIECES: Final = Section(
    Words("做一件要多少電、良率多少？", "What does a piece take, and how many are good?"),
    (
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("加熱爐每件用電", "Energy of a piece by furnace"),
            says=Words(
                "每個當地日爐的用電除以良品。上升而良率沒變，多半是空燒變長。",
                "Energy of the furnace by good pieces of each local day. A rise at the same yield: it waits hot for "
                "longer, most often.",
            ),
            query="furnaces/per_piece",
            unit=KWH_EACH,
            decimals=3,
            drawing=LINES,
            width=12,
            link=TO_ASSET_OF_SERIES,
            empty=NO_PIECES,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("良率", "Yield"),
            says=Words(
                "良品占全部件數。和料溫一起看：太冷或過熱都會多出不良品。",
                "Good of all pieces. Read it with the billet temperature: too cold and too hot both make scrap.",
            ),
            query="furnaces/yield",
            unit=SHARE,
            decimals=1,
            highest=1,
            drawing=Drawing(from_zero=False, fill=0),
            width=12,
            link=TO_ASSET_OF_SERIES,
            empty=Words(
                "站檔的加熱爐沒有良品與不良品（roles: good, scrap）", "no furnace counts pieces (roles: good, scrap)"
            ),
        ),
    ),
)
BOARD: Final = Board(
    name="furnaces",
    title=Words("加熱爐", "Furnaces"),
    question=Words(
        "加熱爐有沒有空燒或過熱？做一件要多少電、良率多少？",
        "Were the furnaces hot for nothing, or too hot? What does a piece take, and how many are good?",
    ),
    variables=(FURNACE_SITE, FURNACE),
    sections=(HOT, PIECES),
)
