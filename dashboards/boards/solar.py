"""Solar plants of a site: what they gave, what became of it, and whether they gave what they should."""

from __future__ import annotations

from typing import Final

from dashboards.choices import (
    ASSET_COLUMN,
    ESTIMATED_COLUMN,
    HIDDEN_SITE,
    MISSING_COLUMN,
    SOLAR_SITE,
    TO_ASSET_OF_SERIES,
    Part,
    with_doubt,
)
from dashboards.looks import COUNT, KW, KWH, KWH_KWP, NTD, PLAIN, SHARE, ZERO_IS_BEST
from dashboards.parts import Board, Column, Drawing, Kind, Panel, Section
from dashboards.words import Words

NO_PLANT: Final = Words("站檔的 kpis 沒有太陽能", "the site's file has no solar plant among its kpis")
NO_IMPORT: Final = Words("沒有這個場域的購電資料", "nothing is known of what the site purchased")
NO_PRICE: Final = Words("站檔沒有 export_ntd_per_kwh", "the site's file has no export_ntd_per_kwh")
LINES: Final = Drawing(fill=0)
THICK: Final = {"lineWidth": 2, "fillOpacity": 0}

GAVE: Final = Section(
    Words("發了多少、怎麼用掉的？", "What did the sun give, and what became of it?"),
    (
        *with_doubt(
            Panel(
                kind=Kind.STAT,
                title=Words("發電", "Generation"),
                says=Words(
                    "範圍內的發電與自用。",
                    "Energy of the range: generated, and used on site.",
                ),
                query="solar/range",
                columns=(
                    Column(name="energy_kwh", title=Words("發電", "generated"), unit=KWH, steps=PLAIN),
                    Column(name="self_consumed_kwh", title=Words("自用", "used on site"), unit=KWH, steps=PLAIN),
                    Column(name="export_kwh", title=Words("外送", "exported"), unit=KWH, steps=PLAIN),
                    Column(
                        name="export_ntd",
                        title=Words("外送收入", "income"),
                        unit=NTD,
                        decimals=1,
                        steps=PLAIN,
                    ),
                    ESTIMATED_COLUMN,
                    MISSING_COLUMN,
                ),
                empty=NO_PLANT,
            ),
            Part(
                ("export_kwh", "export_ntd"),
                Words("外送", "Export"),
                Words(
                    "外送的電與收入（站檔的 export_ntd_per_kwh）。外送的電由買方主張，不可再算成本站用的再生能源。",
                    "Exported energy and its income (export_ntd_per_kwh of the site's file). It is claimed by who buys "
                    "it, and is no renewable use of this site.",
                ),
            ),
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每日發電", "Generation by day"),
            says=Words(
                "每個當地日的發電，自用與外送疊起來。",
                "Generated energy of each local day, used on site and exported, one upon the other.",
            ),
            query="solar/daily",
            columns=(
                Column(name="self_consumed_kwh", title=Words("自用", "used on site"), colour="green"),
                Column(name="export_kwh", title=Words("外送", "exported"), colour="yellow"),
            ),
            unit=KWH,
            drawing=Drawing(is_bars=True, is_stacked=True),
            width=16,
            empty=NO_PLANT,
        ),
        Panel(
            kind=Kind.GAUGE,
            title=Words("自用率與自給率", "Self-consumption, self-sufficiency"),
            says=Words(
                "自用率 = 自用／發電：低表示中午用不完，把能移的負載移到中午。自給率 = 自用／全部用電。",
                "Self-consumption is what was used on site of what was generated: where it is low, move what can be "
                "moved to noon. Self-sufficiency is what was used on site of all that the site used.",
            ),
            query="solar/shares",
            columns=(
                Column(
                    name="self_consumption_share", title=Words("自用率", "self-consumption"), unit=SHARE, decimals=0
                ),
                Column(
                    name="self_sufficiency_share", title=Words("自給率", "self-sufficiency"), unit=SHARE, decimals=0
                ),
            ),
            steps=PLAIN,
            lowest=0,
            highest=1,
            width=8,
            height=8,
            empty=NO_PLANT,
        ),
    ),
)
FITS: Final = Section(
    Words("發電和用電對得上嗎？", "Does it come when it is needed?"),
    (
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("發電與用電", "Generation and use"),
            says=Words(
                "平均功率。用電 = 購電 + 發電 − 外送。發電高過用電的時候在外送；購電高的時候沒有太陽可用。線中斷是缺資"
                "料。拖曳一天放大來看。",
                "Mean power. Use is what was purchased and generated, less what was exported. Where generation lies "
                "above use it is exported; where much is purchased the sun is of no help. A break is missing data. "
                "Drag over a day to see it closer.",
            ),
            query="solar/power",
            columns=(
                Column(name="generation_kw", title=Words("發電", "generation"), colour="yellow"),
                Column(name="use_kw", title=Words("用電", "use"), colour="blue", custom=THICK),
                Column(name="import_kw", title=Words("購電", "purchase"), colour="red", custom={"fillOpacity": 0}),
                Column(name="export_kw", title=Words("外送", "export"), colour="green", custom={"fillOpacity": 0}),
            ),
            unit=KW,
            least="15m",
            drawing=Drawing(fill=20),
            height=10,
            empty=NO_IMPORT,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每日自用率與自給率", "Self-consumption and self-sufficiency by day"),
            says=Words(
                "假日自用率低是因為沒人用電；平日低才要改負載的時間。",
                "On holidays self-consumption is low since nobody works; where it is on working days, change when "
                "things run.",
            ),
            query="solar/shares_daily",
            columns=(
                Column(name="self_consumption_share", title=Words("自用率", "self-consumption"), colour="green"),
                Column(name="self_sufficiency_share", title=Words("自給率", "self-sufficiency"), colour="blue"),
            ),
            unit=SHARE,
            lowest=0,
            highest=1,
            drawing=LINES,
            width=12,
            empty=NO_PLANT,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每日外送收入", "Income of export by day"),
            says=Words(
                "外送電量乘以站檔的躉售價。自用省下的電費通常比外送多。",
                "Exported energy at the price of the site's file. What is used on site usually saves more than export "
                "brings.",
            ),
            query="solar/income",
            unit=NTD,
            decimals=0,
            drawing=Drawing(is_bars=True, is_stacked=True),
            width=12,
            link=TO_ASSET_OF_SERIES,
            empty=NO_PRICE,
        ),
    ),
)
SHOULD: Final = Section(
    Words("電廠發得夠嗎？", "Do the plants give what they should?"),
    (
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每日單位發電量", "Specific yield by day"),
            says=Words(
                "每日發電除以裝置容量。天氣相同而下降，先洗模組、查逆變器與遮蔭。",
                "Generated energy of each local day a kWp. A fall in the same weather: wash the modules, then check "
                "the inverters and the shade.",
            ),
            query="solar/yield",
            unit=KWH_KWP,
            decimals=2,
            drawing=Drawing(is_bars=True),
            width=24,
            link=TO_ASSET_OF_SERIES,
            empty=Words("站檔沒有 kwp", "the site's file has no kwp"),
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("各電廠", "Plants"),
            says=Words(
                "每列一座，每日單位發電量最低的在前。有整天沒有發電的，查逆變器與電表。點設備看它。",
                "One row a plant, the one of the lowest yield first. A day without any energy: check the inverter and "
                "the meter. Click the asset.",
            ),
            query="solar/plants",
            columns=(
                HIDDEN_SITE,
                ASSET_COLUMN,
                Column(name="kwp", title=Words("裝置容量", "Capacity"), unit="suffix: kWp", decimals=0),
                Column(name="energy_kwh", title=Words("發電", "Generated"), unit=KWH),
                Column(name="self_consumed_kwh", title=Words("自用", "Used on site"), unit=KWH),
                Column(name="export_kwh", title=Words("外送", "Exported"), unit=KWH),
                Column(name="yield_h_per_day", title=Words("每日單位發電", "Yield a day"), unit=KWH_KWP, decimals=2),
                Column(name="export_ntd", title=Words("收入", "Income"), unit=NTD, decimals=1),
                Column(
                    name="dark_days",
                    title=Words("沒發電的日子", "Days without"),
                    unit=COUNT,
                    steps=ZERO_IS_BEST,
                    is_coloured=True,
                ),
                Column(name="days", title=Words("日數", "Days"), unit=COUNT),
            ),
            height=5,
            empty=NO_PLANT,
        ),
    ),
)
BOARD: Final = Board(
    name="solar",
    title=Words("太陽能", "Solar"),
    question=Words(
        "太陽能發了多少、怎麼用掉的？和用電對得上嗎？發得夠嗎？",
        "What did the sun give and what became of it, does it come when it is needed, and is it what it should be?",
    ),
    variables=(SOLAR_SITE,),
    sections=(GAVE, FITS, SHOULD),
)
