"""Warehouse or yard of a site: what a move takes, what runs when nobody works, where the hot spots are."""

from __future__ import annotations

from typing import Final

from dashboards.choices import (
    ASSET_COLUMN,
    ENERGY_COLUMN,
    HIDDEN_SITE,
    TO_ASSET_OF_BAR,
    TO_ASSET_OF_SERIES,
    WAREHOUSE_SITE,
    Part,
    narrow,
    parted,
)
from dashboards.looks import (
    COUNT,
    HOURS,
    KW,
    KWH,
    KWH_EACH,
    KWH_H,
    LITRE,
    LITRE_H,
    NTD,
    PER_HOUR,
    PLAIN,
    SHARE,
    TONNE,
    YES_NO,
)
from dashboards.parts import Board, Column, Drawing, Kind, Panel, Section
from dashboards.words import Words

NO_HANDLER: Final = Words("站檔的 kpis 沒有搬運機具", "the site's file has no handler among its kpis")
NO_FUEL: Final = Words(
    "沒有按日知道的燃料與搬運次數（roles: fuel, moves；加油紀錄不分日，看上面的表）",
    "no handler whose fuel and moves are known by day (roles: fuel, moves; fills are in the table above)",
)
NO_LOAD: Final = Words("站檔的 kpis 沒有用電系統", "the site's file has no load among its kpis")
LINES: Final = Drawing(fill=0)

MOVES: Final = Section(
    Words("搬一次要多少油和電？", "What does a move take?"),
    (
        *parted(
            Panel(
                kind=Kind.STAT,
                title=Words("搬運", "Moves"),
                says=Words(
                    "範圍內的搬運次數、燃料與費用（站檔的 fuel_ntd_per_l）。",
                    "Moves of the range, their fuel and its cost (fuel_ntd_per_l of the site's file).",
                ),
                query="warehouse/range",
                columns=(
                    Column(name="moves", title=Words("搬運次數", "moves"), unit=COUNT, steps=PLAIN),
                    Column(name="fuel_l", title=Words("燃料", "fuel"), unit=LITRE, decimals=0, steps=PLAIN),
                    Column(
                        name="fuel_ntd",
                        title=Words("燃料費用", "cost of fuel"),
                        unit=NTD,
                        decimals=1,
                        steps=PLAIN,
                    ),
                    Column(
                        name="l_per_move",
                        title=Words("每次的油", "fuel a move"),
                        unit=LITRE,
                        decimals=2,
                        steps=PLAIN,
                    ),
                    Column(
                        name="kwh_per_move",
                        title=Words("每次的電", "energy a move"),
                        unit=KWH_EACH,
                        decimals=2,
                        steps=PLAIN,
                    ),
                    Column(
                        name="hybrid_share",
                        title=Words("混合機具", "by hybrids"),
                        unit=SHARE,
                        decimals=0,
                        steps=PLAIN,
                    ),
                ),
                empty=NO_HANDLER,
            ),
            Part(
                ("l_per_move", "kwh_per_move", "hybrid_share"),
                Words("每次搬運", "A move"),
                Words(
                    "每次搬運的油與電，以及油電混合機具占的次數。把搬運移到混合機具上，每次的油會下降。",
                    "Litres and kWh of a move, and the share of the moves that hybrids made. Moves given to hybrids "
                    "bring the litres down.",
                ),
                width=12,
            ),
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("各搬運機具", "Handlers"),
            says=Words(
                "每列一台，每次搬運最耗油的在前。引擎小時沒有搬運還在耗油，就是怠速。點設備看它。",
                "One row a machine, the one that takes most litres a move first. Hours of the engine with few moves "
                "are idling. Click the asset.",
            ),
            query="warehouse/handlers",
            columns=narrow(
                115,
                HIDDEN_SITE,
                ASSET_COLUMN,
                Column(name="is_hybrid", title=Words("混合", "Hybrid"), names=YES_NO),
                Column(name="moves", title=Words("搬運次數", "Moves"), unit=COUNT),
                Column(name="engine_h", title=Words("引擎時數", "Engine"), unit=HOURS, decimals=0),
                Column(name="fuel_l", title=Words("燃料", "Fuel"), unit=LITRE, decimals=0),
                Column(name="l_per_move", title=Words("每次的油", "Fuel a move"), unit=LITRE, decimals=2),
                Column(name="l_per_engine_h", title=Words("每小時的油", "Fuel an hour"), unit=LITRE_H, decimals=1),
                Column(name="kwh_per_move", title=Words("每次的電", "Energy a move"), unit=KWH_EACH, decimals=2),
                Column(name="kwh_per_engine_h", title=Words("每小時的電", "Energy an hour"), unit=KWH_H, decimals=1),
                Column(
                    name="moves_per_engine_h", title=Words("每小時搬運", "Moves an hour"), unit=PER_HOUR, decimals=1
                ),
            ),
            height=6,
            empty=NO_HANDLER,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每次搬運的油", "Fuel of a move"),
            says=Words(
                "每個當地日的燃料除以搬運次數。燃料記的是加油而不是流量的機具，看表上整個範圍的值：加油那天高，隔天低"
                "。",
                "Litres of each local day by its moves. Where fuel is what was filled in rather than a flow, the table "
                "above tells better: the day of filling is high, the next one low.",
            ),
            query="warehouse/l_per_move",
            unit=LITRE,
            decimals=2,
            drawing=LINES,
            width=8,
            link=TO_ASSET_OF_SERIES,
            empty=NO_FUEL,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每引擎小時的油", "Fuel of an engine-hour"),
            says=Words(
                "搬運量沒變而上升，先查保養與怠速。",
                "A rise at the same moves: look at maintenance and idling first.",
            ),
            query="warehouse/l_per_engine_h",
            unit=LITRE_H,
            decimals=1,
            drawing=LINES,
            width=8,
            link=TO_ASSET_OF_SERIES,
            empty=Words(
                "沒有按日知道的燃料與引擎時數（roles: fuel, hours 或 engine；加油紀錄不分日，看上面的表）",
                "no handler whose fuel and engine-hours are known by day (roles: fuel, and hours or engine; fills are "
                "in the table above)",
            ),
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("混合機具占搬運次數", "Share of moves by hybrids"),
            says=Words(
                "每個當地日由油電混合機具搬的比例。",
                "Moves of each local day that hybrids made, of all.",
            ),
            query="warehouse/hybrid",
            columns=(Column(name="hybrid_share", title=Words("混合機具", "hybrids"), colour="green"),),
            unit=SHARE,
            lowest=0,
            highest=1,
            width=8,
            empty=NO_HANDLER,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每日搬運次數", "Moves by day"),
            says=Words("每台機具每個當地日的搬運次數。", "Moves of each machine and local day."),
            query="warehouse/moves",
            unit=COUNT,
            drawing=Drawing(is_bars=True, is_stacked=True),
            link=TO_ASSET_OF_SERIES,
            height=7,
            empty=NO_HANDLER,
        ),
    ),
)
OFF_HOURS: Final = Section(
    Words("沒人上班時還有什麼在跑？", "What runs when nobody works?"),
    (
        Panel(
            kind=Kind.BAR_GAUGE,
            title=Words("下班時段的平均功率", "Mean power outside working hours"),
            says=Words(
                "各系統在上班時間（站檔的 from_h 到 to_h，週一到週五）以外的平均功率，大的在前。夜間與假日不需要的，裝"
                "定時器。",
                "Mean power of each system outside working hours (from_h to to_h of the site's file, Monday to "
                "Friday), largest first. What no night and no holiday needs gets a timer.",
            ),
            query="warehouse/off_hours_by_system",
            columns=(Column(name="off_hours_kw", unit=KW, decimals=1, steps=PLAIN),),
            is_row_wise=True,
            lowest=0,
            width=8,
            empty=NO_LOAD,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每日下班時段的平均功率", "Mean power outside working hours by day"),
            says=Words(
                "週末整天都算下班時段。改善之後應該下降一階。",
                "A weekend is outside working hours all day. It comes down by a step once something was changed.",
            ),
            query="warehouse/off_hours",
            unit=KW,
            decimals=1,
            drawing=LINES,
            width=16,
            empty=NO_LOAD,
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("各系統", "Systems"),
            says=Words(
                "範圍內的用電、下班時段占的部分與費用（本站平均單價）。點設備看它。",
                "Energy of the range, the part of it outside working hours, and its cost at the mean price of the "
                "site. Click the asset.",
            ),
            query="warehouse/systems",
            columns=(
                HIDDEN_SITE,
                ASSET_COLUMN,
                Column(name="system", title=Words("系統", "System")),
                ENERGY_COLUMN,
                Column(name="off_hours_kwh", title=Words("下班時段", "Off hours"), unit=KWH),
                Column(name="off_hours_share", title=Words("占比", "Share"), unit=SHARE, decimals=0),
                Column(name="off_hours_kw", title=Words("平均功率", "Mean power"), unit=KW, decimals=1),
                Column(name="off_hours_ntd", title=Words("費用", "Cost"), unit=NTD, decimals=1),
            ),
            height=6,
            empty=NO_LOAD,
        ),
    ),
)
HOT: Final = Section(
    Words("熱點在哪裡？", "Where are the hot spots?"),
    (
        Panel(
            kind=Kind.BAR_GAUGE,
            title=Words("依碳排", "By emissions"),
            says=Words(
                "燃料直接排放加上用電乘以本站的平均係數（地點基礎），大的在前。只列站檔 kpis 裡的機具與系統。點長條看它"
                "。",
                "Direct emissions of fuel, and electricity at the mean factor of the site (location-based), largest "
                "first: handlers and systems among the kpis of the site's file. Click a bar for the asset.",
            ),
            query="warehouse/by_mass",
            columns=(Column(name="mass_tco2e", unit=TONNE, decimals=2, steps=PLAIN, link=TO_ASSET_OF_BAR),),
            is_row_wise=True,
            lowest=0,
            width=12,
            empty=NO_HANDLER,
        ),
        Panel(
            kind=Kind.BAR_GAUGE,
            title=Words("依費用", "By cost"),
            says=Words(
                "燃料（站檔的 fuel_ntd_per_l）加上用電乘以本站的平均單價，大的在前。和左邊順序不同的，碳與錢要分開談。",
                "Fuel at fuel_ntd_per_l of the site's file, and electricity at the mean price of the site, largest "
                "first. Where the order differs from the left, carbon and money are two questions.",
            ),
            query="warehouse/by_cost",
            columns=(Column(name="cost_ntd", unit=NTD, decimals=1, steps=PLAIN, link=TO_ASSET_OF_BAR),),
            is_row_wise=True,
            lowest=0,
            width=12,
            empty=NO_HANDLER,
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("熱點", "Hot spots"),
            says=Words(
                "油與電並列。先改最上面的；點設備看它。",
                "Fuel and electricity side by side. Begin at the top; click the asset.",
            ),
            query="warehouse/hot_spots",
            columns=(
                HIDDEN_SITE,
                ASSET_COLUMN,
                Column(name="fuel_l", title=Words("燃料", "Fuel"), unit=LITRE, decimals=0),
                ENERGY_COLUMN,
                Column(name="mass_tco2e", title=Words("碳排", "Emissions"), unit=TONNE, decimals=2),
                Column(name="cost_ntd", title=Words("費用", "Cost"), unit=NTD, decimals=1),
            ),
            height=7,
            empty=NO_HANDLER,
        ),
    ),
)
BOARD: Final = Board(
    name="warehouse",
    title=Words("倉儲搬運", "Warehouse"),
    question=Words(
        "搬一次要多少油和電？下班後還有什麼在跑？熱點在哪裡？",
        "What does a move take, what runs when nobody works, and where are the hot spots?",
    ),
    variables=(WAREHOUSE_SITE,),
    sections=(MOVES, OFF_HOURS, HOT),
)
