"""Energy and demand of a site: inside the contract, how much, who, when and at what price."""

from __future__ import annotations

from typing import Final

from dashboards.choices import (
    ASSET_COLUMN,
    ASSETS,
    CHANGE_COLUMN,
    ENERGY_COLUMN,
    ESTIMATED_COLUMN,
    HIDDEN_SITE,
    MISSING_COLUMN,
    POINT_COLUMN,
    SITE,
    TO_POINT_OF_BAR,
    TO_POINT_OF_SERIES,
    Part,
    moment,
    narrow,
    with_doubt,
)
from dashboards.looks import BAND, CONTRACT, COUNT, KW, KWH, NTD, NTD_KWH, PLAIN, QUALITY, SHARE, ZERO_IS_GOOD
from dashboards.parts import Board, Column, Drawing, Kind, Panel, Section
from dashboards.words import Words

NO_CONTRACT: Final = Words("沒有訂契約容量", "no contract capacity is agreed")
DASHED: Final = {"lineStyle": {"fill": "dash", "dash": [10, 10]}, "fillOpacity": 0, "lineWidth": 2}

DEMAND: Final = Section(
    Words("有沒有超過契約容量？", "Are we inside the contract?"),
    (
        Panel(
            kind=Kind.GAUGE,
            title=Words("最高需量占契約", "Highest demand of the contract"),
            says=Words(
                "範圍內最高 15 分鐘需量占當時契約容量的比例。90 % 起錯開大負載；超過 100 % 的部分加倍計費。",
                "The highest quarter-hour as a share of the contract of its day. From 90 % on keep large loads apart; "
                "what is beyond 100 % is charged at a multiple.",
            ),
            query="energy/contract_peak",
            columns=(Column(name="contract_share", title=Words("占契約", "of contract"), unit=SHARE, decimals=0),),
            steps=CONTRACT,
            lowest=0,
            highest=1.2,
            width=6,
            empty=NO_CONTRACT,
        ),
        Panel(
            kind=Kind.STAT,
            title=Words("15 分鐘需量", "Quarter-hour demand"),
            says=Words(
                "最後一個有需量的 15 分鐘、範圍內的最高值、契約容量，以及超過契約的 15 分鐘個數。個數不是 0，就到下面"
                "的表看是哪幾刻，再看那時是哪些設備。",
                "The last quarter-hour that has a demand, the highest of the range, the contract, and how many "
                "quarter-hours passed it. Unless that is 0, the table below says which, and the meters what ran then.",
            ),
            query="energy/demand_now",
            columns=(
                Column(name="last_kw", title=Words("最後一刻", "last"), unit=KW, steps=PLAIN),
                Column(name="peak_kw", title=Words("最高", "highest"), unit=KW, steps=PLAIN),
                Column(name="contract_kw", title=Words("契約", "contract"), unit=KW, steps=PLAIN),
                Column(name="over_quarters", title=Words("超約刻數", "over contract"), unit=COUNT, steps=ZERO_IS_GOOD),
            ),
            width=18,
            height=6,
            empty=Words("這段時間沒有完整的 15 分鐘", "no whole quarter-hour in this range"),
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("需量與契約容量", "Demand and contract"),
            says=Words(
                "每個時段裡最高的 15 分鐘需量；紅色虛線是站檔裡的契約容量。線中斷表示那一刻缺資料，不是沒有用電。",
                "The highest quarter-hour of each interval; the dashed red line is the contract of the site's file. "
                "Where the line breaks a part is missing, which is not the same as no demand.",
            ),
            query="energy/demand",
            columns=(
                Column(name="demand_kw", title=Words("需量", "demand"), colour="blue"),
                Column(name="contract_kw", title=Words("契約容量", "contract"), colour="red", custom=DASHED),
            ),
            unit=KW,
            least="15m",
            width=16,
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("最高的十個 15 分鐘", "The ten highest quarter-hours"),
            says=Words(
                "品質為「估計」的一刻可能混入別的時段的電量（電表停滯後補計），它的高峰不一定真的發生過。",
                "A quarter-hour of quality estimated may hold the energy of others, when a meter catches up: its peak "
                "may never have been.",
            ),
            query="energy/peaks",
            columns=narrow(
                84,
                moment("starts_at", Words("開始", "Begins")),
                Column(name="demand_kw", title=Words("需量", "Demand"), unit=KW, decimals=1),
                Column(
                    name="contract_share",
                    title=Words("占契約", "Of contract"),
                    unit=SHARE,
                    decimals=0,
                    steps=CONTRACT,
                    is_coloured=True,
                ),
                Column(name="quality", title=Words("品質", "Quality"), names=QUALITY, is_coloured=True),
            ),
            width=8,
            empty=Words("這段時間沒有完整的 15 分鐘", "no whole quarter-hour in this range"),
        ),
    ),
)
USED: Final = Section(
    Words("用了多少？這個數字完整嗎？", "How much did we use, and is the number whole?"),
    (
        *with_doubt(
            Panel(
                kind=Kind.STAT,
                title=Words("購電", "Purchased energy"),
                says=Words(
                    "購電量，和前一段同樣長的時間相比。",
                    "Purchased energy, against the span of the same length before.",
                ),
                query="energy/totals",
                columns=(
                    Column(name="energy_kwh", title=Words("購電", "purchased"), unit=KWH, steps=PLAIN),
                    Column(name="change", title=Words("比前期", "change"), unit=SHARE, decimals=1, steps=PLAIN),
                    Column(name="cost_ntd", title=Words("流動電費", "energy cost"), unit=NTD, decimals=1, steps=PLAIN),
                    Column(name="ntd_per_kwh", title=Words("每度", "a kWh"), unit=NTD, decimals=2, steps=PLAIN),
                    ESTIMATED_COLUMN,
                    MISSING_COLUMN,
                ),
            ),
            Part(
                ("cost_ntd", "ntd_per_kwh"),
                Words("電費", "Its cost"),
                Words(
                    "流動電費（含 5 % 營業稅）與平均單價。",
                    "The energy charge with 5 % VAT, and the mean price of a kWh.",
                ),
            ),
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每日購電", "Purchased energy by day"),
            says=Words(
                "每個當地日的購電量，黃色是估計的部分。範圍兩端的日子可能不完整。",
                "Energy of each local day; yellow is the estimated part. The days at both ends of the range may be "
                "cut.",
            ),
            query="energy/daily",
            columns=(
                Column(name="measured_kwh", title=Words("實測", "measured"), colour="blue"),
                Column(name="estimated_kwh", title=Words("估計", "estimated"), colour="yellow"),
            ),
            unit=KWH,
            drawing=Drawing(is_bars=True, is_stacked=True),
            width=16,
        ),
        Panel(
            kind=Kind.STAT,
            title=Words("基載", "Base load"),
            says=Words(
                "95 % 的實測 15 分鐘都高於這個功率：沒有人工作時也在跑的負載。占平均愈高，夜裡可關的愈多；右邊是照現在"
                "的平均單價一年的費用。",
                "95 % of all measured quarter-hours lie above this power: what runs while nobody works. The higher "
                "its share of the mean, the more can be switched off at night; last is what it costs in a year at the "
                "present price.",
            ),
            query="energy/base_load",
            columns=(
                Column(name="base_kw", title=Words("基載", "base load"), unit=KW, decimals=1, steps=PLAIN),
                Column(name="base_share", title=Words("占平均", "of the mean"), unit=SHARE, decimals=0, steps=PLAIN),
                Column(name="year_ntd", title=Words("一年費用", "in a year"), unit=NTD, decimals=0, steps=PLAIN),
            ),
            width=8,
            height=8,
            empty=Words("這段時間沒有實測的 15 分鐘", "no measured quarter-hour in this range"),
        ),
    ),
)
WHO: Final = Section(
    Words("誰在用？", "Who used it?"),
    (
        Panel(
            kind=Kind.BAR_GAUGE,
            title=Words("各電表的用電", "Energy of each meter"),
            says=Words(
                "電表有上下層，總表包含分表，所以這裡不相加。點長條看那個量測點。",
                "Meters stand behind one another and the main one holds the others, so nothing is added up here. "
                "Click a bar for the point.",
            ),
            query="energy/by_point",
            columns=(Column(name="energy_kwh", unit=KWH, steps=PLAIN, link=TO_POINT_OF_BAR),),
            is_row_wise=True,
            lowest=0,
            width=8,
            height=10,
            empty=Words("所選設備沒有電表", "the chosen assets have no meter of energy"),
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("各電表的功率", "Power of each meter"),
            says=Words(
                "平均功率。上班前就升起來、下班後降不下來的，先問它需不需要。點線看那個量測點。",
                "Mean power. What rises before the shift or does not fall after it: ask whether it is needed. Click a "
                "line for the point.",
            ),
            query="energy/power_by_point",
            unit=KW,
            least="15m",
            width=16,
            height=10,
            link=TO_POINT_OF_SERIES,
            empty=Words("所選設備沒有電表", "the chosen assets have no meter of energy"),
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("電表", "Meters"),
            says=Words(
                "每列一個電表。比前期變化大的，點設備看它自己的頁。估計或缺漏高的，點量測點看是哪幾個時段。",
                "One row a meter. Where the change is large, click the asset for its own page; where much is "
                "estimated or missing, click the point and see which intervals.",
            ),
            query="energy/meters",
            columns=(
                HIDDEN_SITE,
                ASSET_COLUMN,
                POINT_COLUMN,
                ENERGY_COLUMN,
                CHANGE_COLUMN,
                ESTIMATED_COLUMN,
                MISSING_COLUMN,
            ),
            height=9,
            empty=Words("所選設備沒有電表", "the chosen assets have no meter of energy"),
        ),
    ),
)
WHEN: Final = Section(
    Words("什麼時候用、多少錢？", "When did we use it, and at what price?"),
    (
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每日流動電費", "Energy cost by day"),
            says=Words(
                "每個當地日按時段的流動電費，含 5 % 營業稅。紅色的尖峰愈多，愈值得把能移的負載移到離峰。",
                "Energy charge of each local day by band, 5 % VAT included. The more of it is peak, the more it pays "
                "to move what can be moved.",
            ),
            query="energy/cost_by_band",
            columns=tuple(Column(name=band, title=named.words, colour=named.colour) for band, named in BAND.items()),
            unit=NTD,
            drawing=Drawing(is_bars=True, is_stacked=True),
            width=10,
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("各時段", "Bands"),
            says=Words(
                "費率名以 ?provisional 結尾的，是用鄰近期間的費率暫代。「未知」是缺資料而無法計價的 15 分鐘數。",
                "A tariff that ends in ?provisional stands in for one that is not known. Unknown counts quarter-hours "
                "that have no cost because something is missing.",
            ),
            query="energy/bands",
            columns=narrow(
                80,
                Column(name="band", title=Words("時段", "Band"), names=BAND, is_coloured=True),
                ENERGY_COLUMN,
                Column(name="cost_ntd", title=Words("電費", "Cost"), unit=NTD, decimals=0),
                Column(name="ntd_per_kwh", title=Words("單價", "Price"), unit=NTD_KWH, decimals=2, width=110),
                Column(name="unknown_quarters", title=Words("未知", "Unknown"), unit=COUNT, steps=ZERO_IS_GOOD),
                Column(name="tariff", title=Words("費率", "Tariff"), width=320),
            ),
            width=14,
            empty=Words("站檔沒有電價", "the site's file has no tariff"),
        ),
    ),
)
BOARD: Final = Board(
    name="energy",
    title=Words("電力與需量", "Energy and demand"),
    question=Words(
        "這個場域在契約容量之內嗎？用了多少、誰用的、什麼時候、多少錢？",
        "Is this site inside its contract? How much did it use, who used it, when, and at what price?",
    ),
    variables=(SITE, ASSETS),
    sections=(DEMAND, USED, WHO, WHEN),
)
