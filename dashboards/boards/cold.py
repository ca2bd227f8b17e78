"""Cold chain of a site: whether the rooms held their band, how the compressors ran, what the cold took."""

from __future__ import annotations

from typing import Final

from dashboards.choices import (
    ASSET_COLUMN,
    COLD_SITE,
    ENERGY_COLUMN,
    ESTIMATED_COLUMN,
    HIDDEN_SITE,
    KNOWN_COLUMN,
    MISSING_COLUMN,
    ROOM,
    TO_ASSET_OF_SERIES,
    TO_POINT_OF_SERIES,
    Part,
    narrow,
    with_doubt,
)
from dashboards.looks import (
    CELSIUS,
    DEGREE_MINUTES,
    HELD,
    HOURS,
    KWH,
    KWH_DEGREE_HOUR,
    KWH_EACH,
    KWH_H,
    MINUTES,
    NTD,
    PER_HOUR,
    PLAIN,
    ROOM_CODE,
    SHARE,
    STARTS,
    ZERO_IS_BEST,
    Steps,
)
from dashboards.parts import Board, Column, Drawing, Kind, Link, Panel, Section
from dashboards.words import Words

NO_ROOM: Final = Words("站檔的 kpis 沒有庫房", "the site's file has no room among its kpis")
NO_COMPRESSOR: Final = Words("站檔的 kpis 沒有壓縮機", "the site's file has no compressor among its kpis")
NO_ENERGY: Final = Words(
    "站檔的庫房與壓縮機都沒有電表（roles: energy）",
    "no room or compressor has a meter in the site's file (roles: energy)",
)
LIMIT: Final = {"lineStyle": {"fill": "dash", "dash": [10, 10]}, "fillOpacity": 0, "lineWidth": 2}
LINES: Final = Drawing(fill=0)
RIGHT: Final = {"axisPlacement": "right", "drawStyle": "line", "fillOpacity": 0, "lineWidth": 2}
STARTS_LINE: Final = Steps("transparent", ((8, "orange"),))
TO_ROOM: Final = Link(
    Words("在這頁看這間庫房", "This room on this page"),
    "cold",
    {"site": "${__data.fields.site}", "room": "${__data.fields.asset}"},
)

HELD_SECTION: Final = Section(
    Words("庫房夠冷嗎？", "Were the rooms cold enough?"),
    (
        Panel(
            kind=Kind.TABLE,
            title=Words("各庫房", "Rooms"),
            says=Words(
                "每列一間庫房，出帶最久的在前。動力平均溫度（USP <1079.2>）把高溫算得比低溫重，是貨品真正承受的溫度"
                "；度分是出帶的度數乘以分鐘。出帶久而度分少是擦邊，度分多才傷貨。點出帶時間在本頁看那間庫房，點設備看"
                "它的量測點。",
                "One row a room, the one longest out of its band first. The mean kinetic temperature (USP <1079.2>) "
                "weighs warmth more than cold, as goods do. Degree-minutes are degrees outside the band times "
                "minutes: long out with few of them is a near miss, many of them spoil goods. Click the time out of "
                "band to see that room below, the asset for its points.",
            ),
            query="cold/rooms",
            columns=narrow(
                108,
                HIDDEN_SITE,
                ASSET_COLUMN,
                Column(name="low_c", title=Words("下限", "Low"), unit=CELSIUS, decimals=1),
                Column(name="high_c", title=Words("上限", "High"), unit=CELSIUS, decimals=1),
                Column(name="mean_c", title=Words("平均", "Mean"), unit=CELSIUS, decimals=1),
                Column(name="mean_kinetic_c", title=Words("動力平均", "Mean kinetic"), unit=CELSIUS, decimals=1),
                Column(
                    name="in_band_share",
                    title=Words("帶內", "In band"),
                    unit=SHARE,
                    decimals=1,
                    steps=HELD,
                    is_coloured=True,
                ),
                Column(
                    name="excursion_min",
                    title=Words("出帶時間", "Out of band"),
                    unit=MINUTES,
                    decimals=0,
                    steps=ZERO_IS_BEST,
                    is_coloured=True,
                    link=TO_ROOM,
                ),
                Column(name="above_degree_min", title=Words("高出", "Above"), unit=DEGREE_MINUTES, decimals=0),
                Column(name="below_degree_min", title=Words("低出", "Below"), unit=DEGREE_MINUTES, decimals=0),
                Column(name="door_open_min", title=Words("門開", "Door open"), unit=MINUTES, decimals=0),
                KNOWN_COLUMN,
            ),
            height=6,
            empty=NO_ROOM,
        ),
        Panel(
            kind=Kind.STATE_TIMELINE,
            title=Words("各庫房在不在溫度帶內", "Rooms within their band"),
            says=Words(
                "15 分鐘平均溫度：綠是帶內，紅是高於上限，藍是低於下限。每天同一時刻出帶的，對照進貨、除霜與班次。",
                "Mean temperature of each quarter-hour: green within the band, red above, blue below it. Out at the "
                "same hour every day: compare with deliveries, defrosts and shifts.",
            ),
            query="cold/band",
            names=ROOM_CODE,
            least="15m",
            height=5,
            empty=NO_ROOM,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("${room} 的溫度", "Temperature of ${room}"),
            says=Words(
                "所選庫房的 15 分鐘平均溫度；虛線是站檔裡的溫度帶。超過虛線就先看門與除霜，再看壓縮機。",
                "Quarter-hour mean temperature of the chosen room; the dashed lines are its band in the site's file. "
                "Beyond them look at the door and the defrost first, then at the compressors.",
            ),
            query="cold/temperature",
            columns=(
                Column(name="mean_c", title=Words("溫度", "temperature"), colour="blue", custom={"lineWidth": 2}),
                Column(name="low_c", title=Words("下限", "low"), colour="light-blue", custom=LIMIT),
                Column(name="high_c", title=Words("上限", "high"), colour="red", custom=LIMIT),
            ),
            unit=CELSIUS,
            decimals=1,
            least="15m",
            drawing=Drawing(from_zero=False, fill=0),
            height=9,
            empty=NO_ROOM,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每日出帶時間", "Time out of band by day"),
            says=Words(
                "每個當地日在溫度帶外的分鐘數。不知道溫度的時間不算在內。",
                "Minutes of each local day outside the band. Time of unknown temperature does not count.",
            ),
            query="cold/excursions",
            unit=MINUTES,
            drawing=LINES,
            width=12,
            link=TO_ASSET_OF_SERIES,
            empty=NO_ROOM,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每日度分", "Degree-minutes by day"),
            says=Words(
                "出帶的度數乘以分鐘，高於與低於上下限合計。這個數字上升比出帶時間上升更急。",
                "Degrees outside the band times minutes, above and below together. A rise of this is more urgent than "
                "one of the time alone.",
            ),
            query="cold/degree_minutes",
            unit=DEGREE_MINUTES,
            drawing=LINES,
            width=12,
            link=TO_ASSET_OF_SERIES,
            empty=NO_ROOM,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("${room} 每日動力平均溫度", "Mean kinetic temperature of ${room} by day"),
            says=Words(
                "活化能 83.144 kJ/mol。慢慢上升而設定沒改，多半是蒸發器結霜或冷媒不足。",
                "Activation energy of 83.144 kJ/mol. A slow rise at the same set-point: an iced evaporator or too "
                "little refrigerant, most often.",
            ),
            query="cold/mean_kinetic",
            columns=(
                Column(name="mean_kinetic_c", title=Words("動力平均溫度", "mean kinetic temperature"), colour="blue"),
            ),
            unit=CELSIUS,
            decimals=1,
            drawing=Drawing(from_zero=False, fill=0),
            width=12,
            empty=NO_ROOM,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每日門開時間", "Door open by day"),
            says=Words(
                "每個當地日門開著的分鐘數。和出帶時間一起上升，就先管門。",
                "Minutes of each local day that the door stood open. Where it rises together with the time out of "
                "band, see to the door first.",
            ),
            query="cold/doors",
            unit=MINUTES,
            drawing=LINES,
            width=12,
            link=TO_ASSET_OF_SERIES,
            empty=Words("站檔的庫房都沒有門（roles: door）", "no room has a door in the site's file (roles: door)"),
        ),
    ),
)
COMPRESSORS: Final = Section(
    Words("壓縮機跑得順嗎？", "Did the compressors run well?"),
    (
        Panel(
            kind=Kind.TABLE,
            title=Words("各壓縮機", "Compressors"),
            says=Words(
                "啟停愈頻繁磨耗愈快，每小時 8 次起就查低壓開關、溫控差值與冷媒量。運轉時間比例接近 100 % 表示沒有餘裕"
                "。點設備看它。",
                "Frequent starts wear a compressor out: from 8 an hour on check the low-pressure switch, the "
                "differential of the thermostat and the charge. A duty close to 100 % means no reserve. Click the "
                "asset.",
            ),
            query="cold/compressors",
            columns=narrow(
                120,
                HIDDEN_SITE,
                ASSET_COLUMN,
                Column(
                    name="starts_per_h",
                    title=Words("啟動", "Starts"),
                    unit=PER_HOUR,
                    decimals=1,
                    steps=STARTS,
                    is_coloured=True,
                ),
                Column(name="run_min", title=Words("每次運轉", "Run length"), unit=MINUTES, decimals=1),
                Column(name="duty_share", title=Words("運轉比例", "Duty"), unit=SHARE, decimals=0),
                Column(name="on_h", title=Words("運轉時數", "Hours run"), unit=HOURS, decimals=0),
                ENERGY_COLUMN,
                Column(name="kwh_per_on_h", title=Words("每運轉小時", "Of an hour run"), unit=KWH_H, decimals=1),
                KNOWN_COLUMN,
            ),
            height=6,
            empty=NO_COMPRESSOR,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每小時啟動次數", "Starts an hour"),
            says=Words(
                "每日平均；橙色虛線是規則 short_cycling 的上限 8 次。",
                "Mean of the day; the dashed line at 8 is the limit of the rule short_cycling.",
            ),
            query="cold/starts",
            unit=PER_HOUR,
            decimals=2,
            steps=STARTS_LINE,
            drawing=Drawing(fill=0, has_limits=True),
            width=8,
            link=TO_ASSET_OF_SERIES,
            empty=NO_COMPRESSOR,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("運轉比例", "Duty"),
            says=Words(
                "運轉時間占已知時間的比例。天氣沒變而上升，表示冷房漏熱變多或機器變弱。",
                "Time that it ran of the known time. A rise in the same weather: more heat comes in, or the machine "
                "gives less.",
            ),
            query="cold/duty",
            unit=SHARE,
            lowest=0,
            highest=1,
            drawing=LINES,
            width=8,
            link=TO_ASSET_OF_SERIES,
            empty=NO_COMPRESSOR,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每次運轉多久", "Length of a run"),
            says=Words(
                "愈短表示啟停愈頻繁；幾分鐘一次就放寬溫控差值。",
                "The shorter, the more often it starts; with runs of a few minutes widen the differential.",
            ),
            query="cold/run_length",
            unit=MINUTES,
            drawing=LINES,
            width=8,
            link=TO_ASSET_OF_SERIES,
            empty=NO_COMPRESSOR,
        ),
    ),
)
TOOK: Final = Section(
    Words("製冷用了多少電、有沒有變好？", "What did the cold take, and does it get better?"),
    (
        *with_doubt(
            Panel(
                kind=Kind.STAT,
                title=Words("製冷用電", "Energy of the cold"),
                says=Words(
                    "庫房與壓縮機的電表合計，每個表只算一次；費用用本站的平均單價。",
                    "Meters of rooms and compressors, each counted once; cost at the mean price of the site.",
                ),
                query="cold/energy",
                columns=(
                    Column(name="energy_kwh", title=Words("用電", "energy"), unit=KWH, steps=PLAIN),
                    Column(name="cost_ntd", title=Words("費用", "cost"), unit=NTD, decimals=1, steps=PLAIN),
                    Column(
                        name="kwh_per_degree_hour",
                        title=Words("每度時", "a degree-hour"),
                        unit=KWH_DEGREE_HOUR,
                        decimals=2,
                        steps=PLAIN,
                    ),
                    Column(
                        name="kwh_per_pallet",
                        title=Words("每板", "a pallet"),
                        unit=KWH_EACH,
                        decimals=2,
                        steps=PLAIN,
                    ),
                    ESTIMATED_COLUMN,
                    MISSING_COLUMN,
                ),
                empty=NO_ENERGY,
            ),
            Part(
                ("kwh_per_degree_hour", "kwh_per_pallet"),
                Words("換到什麼", "For what"),
                Words(
                    "每度時是把庫房維持在室外溫度以下一度一小時所用的電；每板是每個進出棧板的電。",
                    "A degree-hour is one degree below the outdoor temperature, held for an hour; a pallet is one that "
                    "was moved in or out.",
                ),
            ),
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("${room} 的溫度與製冷用電", "Temperature of ${room} beside the energy of the cold"),
            says=Words(
                "長條是全站製冷用電：藍色那天庫房在帶內，紅色那天有超過 1 % 的時間出帶。線是動力平均溫度（右軸）。紅色"
                "的日子用電再少也不是節能。",
                "Bars are the energy of the site's cold: blue on days on which the room held its band, red where it "
                "was out of it for more than 1 % of the time. The line is its mean kinetic temperature, on the right. "
                "What a red day uses less is no saving.",
            ),
            query="cold/beside",
            columns=(
                Column(name="in_band_kwh", title=Words("用電，帶內", "energy, in band"), unit=KWH, colour="blue"),
                Column(
                    name="out_of_band_kwh", title=Words("用電，出帶", "energy, out of band"), unit=KWH, colour="red"
                ),
                Column(
                    name="mean_kinetic_c",
                    title=Words("動力平均溫度", "mean kinetic temperature"),
                    unit=CELSIUS,
                    decimals=1,
                    colour="yellow",
                    custom=RIGHT,
                ),
            ),
            drawing=Drawing(is_bars=True),
            width=12,
            height=9,
            empty=NO_ROOM,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每日製冷用電", "Energy of the cold by day"),
            says=Words(
                "每個電表的每日用電。點長條看那個量測點。",
                "Energy of each meter by local day. Click a bar for the point.",
            ),
            query="cold/energy_daily",
            unit=KWH,
            drawing=Drawing(is_bars=True, is_stacked=True),
            width=12,
            height=9,
            link=TO_POINT_OF_SERIES,
            empty=NO_ENERGY,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每度時用電的趨勢", "Trend of energy a degree-hour"),
            says=Words(
                "把天氣扣掉以後的用電：上升就是設備變差，改善後應該下降。",
                "Energy with the weather taken out: it rises as the plant gets worse, and falls after it was improved.",
            ),
            query="cold/per_degree_hour",
            unit=KWH_DEGREE_HOUR,
            decimals=2,
            drawing=LINES,
            width=12,
            link=TO_ASSET_OF_SERIES,
            empty=Words(
                "站檔的庫房沒有室外溫度（roles: outdoor）或電表",
                "no room has an outdoor temperature (roles: outdoor) and a meter",
            ),
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每板用電的趨勢", "Trend of energy a pallet"),
            says=Words(
                "進出的板數愈少，每板分攤愈多；和上一格一起看。",
                "The fewer pallets, the more falls on each; read it together with the panel beside it.",
            ),
            query="cold/per_pallet",
            unit=KWH_EACH,
            decimals=2,
            drawing=LINES,
            width=12,
            link=TO_ASSET_OF_SERIES,
            empty=Words("站檔的庫房沒有板數（roles: pallets）", "no room counts pallets (roles: pallets)"),
        ),
    ),
)
BOARD: Final = Board(
    name="cold",
    title=Words("冷鏈", "Cold chain"),
    question=Words(
        "庫房夠冷嗎？壓縮機跑得順嗎？製冷用了多少電？",
        "Were the rooms cold enough, did the compressors run well, and what did the cold take?",
    ),
    variables=(COLD_SITE, ROOM),
    sections=(HELD_SECTION, COMPRESSORS, TOOK),
)
