"""Overview of all sites: where to look first."""

from __future__ import annotations

from typing import Final

from dashboards.choices import (
    CHANGE_COLUMN,
    ENERGY_COLUMN,
    ESTIMATED_COLUMN,
    MISSING_COLUMN,
    SEVERITY_COLUMN,
    SITE_COLUMN,
    SITES,
    TO_ALERTS,
    TO_COLD,
    TO_ENERGY,
    TO_FURNACES,
    TO_MACHINING,
    TO_PIPELINE,
    TO_SOLAR,
    TO_WAREHOUSE,
    Part,
    moment,
    narrow,
    said_columns,
    with_doubt,
)
from dashboards.looks import CONTRACT, COUNT, KW, KWH, NTD, PLAIN, SECONDS, SHARE, TONNE, ZERO_IS_BEST, ZERO_IS_GOOD
from dashboards.parts import Board, Column, Kind, Panel, Section
from dashboards.words import Words

NOW: Final = Section(
    Words("現在有什麼要處理？", "Does anything need me now?"),
    (
        Panel(
            kind=Kind.STAT,
            title=Words("未解除的警報", "Open alerts"),
            says=Words(
                "時間範圍結束時仍未解除的警報數。紅色的緊急警報要立刻處理：到「異常與警報」看是哪台設備、該做什麼。",
                "Alerts that are still open at the end of the time range. Critical ones need somebody now: the "
                "dashboard of anomalies and alerts says which asset, and what to do.",
            ),
            query="overview/open_alerts",
            columns=(
                Column(name="critical", title=Words("緊急", "critical"), unit=COUNT, steps=ZERO_IS_GOOD),
                Column(name="warning", title=Words("警告", "warning"), unit=COUNT, steps=ZERO_IS_BEST),
            ),
            width=8,
        ),
        Panel(
            kind=Kind.STAT,
            title=Words("沒有新資料的場域", "Sites without fresh data"),
            says=Words(
                "最後一小時沒有任何量測區間的場域數。不是 0 就先到「資料管線」找斷在哪裡，否則下面的數字都不完整。",
                "Sites of which the last hour of the range has no interval at all. Unless it is 0, look into the "
                "pipeline first: the numbers below are not whole.",
            ),
            query="overview/silent_sites",
            columns=(
                Column(name="sites", title=Words("場域", "sites"), unit=COUNT, steps=ZERO_IS_GOOD, link=TO_PIPELINE),
            ),
            width=8,
        ),
        Panel(
            kind=Kind.GAUGE,
            title=Words("最接近契約容量的一刻", "Closest to the contract"),
            says=Words(
                "範圍內各場域最高 15 分鐘需量占契約容量的比例，取最高者。超過 100 % 會加倍計費；90 % 起就該錯開大負載"
                "。",
                "The highest quarter-hour of any site as a share of its contract. Beyond 100 % the excess is charged "
                "at a multiple; from 90 % on, keep large loads apart.",
            ),
            query="overview/contract_peak",
            columns=(Column(name="contract_share", title=Words("占契約", "of contract"), unit=SHARE, decimals=0),),
            steps=CONTRACT,
            lowest=0,
            highest=1.2,
            width=8,
            height=4,
            empty=Words("沒有場域訂契約容量", "no site has a contract capacity"),
        ),
    ),
)
SITES_SECTION: Final = Section(
    Words("哪個場域和平常不同？", "Which site differs from its usual?"),
    (
        Panel(
            kind=Kind.TABLE,
            title=Words("各場域", "Sites"),
            says=Words(
                "每列一個場域，最接近契約容量的在前。「比前期」是和前一段同樣長的時間相比。估計或缺漏超過 5 % 的數字先"
                "別拿來做決定。點場域看它的電力；最右邊五欄是站檔裡各種設備的數目，點它看那一頁。",
                "One row a site, the one closest to its contract first. Change is against the span of the same length "
                "before. Decide nothing by numbers of which more than 5 % are estimated or missing. Click a site for "
                "its energy; the last five columns count assets of a kind, click one for their dashboard.",
            ),
            query="overview/sites",
            columns=narrow(
                104,
                SITE_COLUMN,
                Column(
                    name="contract_share",
                    title=Words("需量／契約", "Of contract"),
                    unit=SHARE,
                    decimals=0,
                    steps=CONTRACT,
                    is_coloured=True,
                ),
                Column(
                    name="alerts",
                    title=Words("警報", "Alerts"),
                    unit=COUNT,
                    steps=ZERO_IS_BEST,
                    is_coloured=True,
                    link=TO_ALERTS,
                ),
                ENERGY_COLUMN,
                CHANGE_COLUMN,
                ESTIMATED_COLUMN,
                MISSING_COLUMN,
                Column(name="cold_assets", title=Words("冷鏈", "Cold chain"), unit=COUNT, link=TO_COLD),
                Column(name="machining_assets", title=Words("加工", "Machining"), unit=COUNT, link=TO_MACHINING),
                Column(name="furnace_assets", title=Words("加熱爐", "Furnaces"), unit=COUNT, link=TO_FURNACES),
                Column(name="warehouse_assets", title=Words("倉儲搬運", "Warehouse"), unit=COUNT, link=TO_WAREHOUSE),
                Column(name="solar_assets", title=Words("太陽能", "Solar"), unit=COUNT, link=TO_SOLAR),
            ),
            height=9,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("各場域的購電功率", "Power that each site purchases"),
            says=Words(
                "平均購電功率。線中斷表示那段時間有一部分沒有資料，不是停機。夜間降不下來的場域，去看它的基載。",
                "Mean purchased power. Where a line breaks, a part of that time has no data; it is no standstill. A "
                "site that does not come down at night: look at its base load.",
            ),
            query="overview/power",
            unit=KW,
            least="15m",
            width=16,
        ),
        Panel(
            kind=Kind.BAR_GAUGE,
            title=Words("各場域的購電量", "Energy that each site purchased"),
            says=Words(
                "範圍內的購電量，多的在前。點長條看那個場域。",
                "Purchased in the range, most first. Click a bar for the site.",
            ),
            query="overview/energy_by_site",
            columns=(Column(name="energy_kwh", unit=KWH, steps=PLAIN, link=TO_ENERGY),),
            is_row_wise=True,
            lowest=0,
            width=8,
            empty=Words("這段時間沒有購電資料", "nothing was purchased in this range"),
        ),
    ),
)
TOTALS: Final = Section(
    Words("總共用了多少？", "How much is it all together?"),
    (
        *with_doubt(
            Panel(
                kind=Kind.STAT,
                title=Words("合計", "Totals"),
                says=Words(
                    "所選場域的購電量與流動電費（含 5 % 營業稅）。缺的不會當成 0。",
                    "Purchased energy of the chosen sites and its cost (energy charge with 5 % VAT). What is missing "
                    "is not counted as zero.",
                ),
                query="overview/totals",
                columns=(
                    Column(name="energy_kwh", title=Words("購電", "purchased"), unit=KWH, steps=PLAIN),
                    Column(name="cost_ntd", title=Words("流動電費", "energy cost"), unit=NTD, decimals=1, steps=PLAIN),
                    Column(name="mass_tco2e", title=Words("碳排", "emissions"), unit=TONNE, decimals=1, steps=PLAIN),
                    ESTIMATED_COLUMN,
                    MISSING_COLUMN,
                ),
                height=5,
            ),
            Part(
                ("mass_tco2e",),
                Words("碳排", "Emissions"),
                Words(
                    "所選場域範疇一與二的碳排（地點基礎）。", "Of scope 1 and 2 of the chosen sites, location-based."
                ),
                width=6,
            ),
        ),
    ),
)
HAPPENED: Final = Section(
    Words("發生了什麼事？", "What happened?"),
    (
        Panel(
            kind=Kind.TABLE,
            title=Words("範圍內的警報", "Alerts of the range"),
            says=Words(
                "最新的在前，最多 20 筆。點場域看全部警報。",
                "The newest first, 20 at most. Click the site for all of its alerts.",
            ),
            query="overview/alerts",
            columns=(
                SEVERITY_COLUMN,
                Column(name="site", title=Words("場域", "Site"), link=TO_ALERTS, width=160),
                Column(name="subject", title=Words("對象", "Subject"), width=290),
                moment("opened_at", Words("開始", "Opened")),
                Column(name="lasted_s", title=Words("歷時", "Lasted"), unit=SECONDS, width=110),
                *said_columns("said", Words("說明", "What it says")),
            ),
            empty=Words("這段時間沒有警報", "no alerts in this range"),
        ),
    ),
)
BOARD: Final = Board(
    name="overview",
    title=Words("所有場域", "All sites"),
    question=Words("所有場域今天還好嗎？我該先看哪裡？", "How are all sites today, and where do I look first?"),
    variables=(SITES,),
    sections=(NOW, SITES_SECTION, TOTALS, HAPPENED),
)
