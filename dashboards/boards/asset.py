"""One asset: how it is, how it ran, whether that was usual, and what it is measured by."""

from __future__ import annotations

from typing import Final

from dashboards.choices import (
    ASSET,
    CHANGE_COLUMN,
    ESTIMATED_COLUMN,
    HIDDEN_ASSET,
    HIDDEN_SITE,
    MISSING_COLUMN,
    POINT_COLUMN,
    SEVERITY_COLUMN,
    SITE,
    TO_POINT_OF_SERIES,
    moment,
    said_columns,
)
from dashboards.looks import (
    CELSIUS,
    COUNT,
    KIND,
    KW,
    KWH,
    PLAIN,
    SCORE_LINE,
    SECONDS,
    STATE_CODE,
    ZERO_IS_BEST,
    ZERO_IS_GOOD,
)
from dashboards.parts import Board, Column, Drawing, Kind, Panel, Section
from dashboards.words import Words

NO_METER: Final = Words("這台設備沒有電表", "this asset has no meter of energy")

HOW_IS_IT: Final = Section(
    Words("這台設備還好嗎？", "How is this asset?"),
    (
        Panel(
            kind=Kind.STAT,
            title=Words("用電", "Energy"),
            says=Words(
                "這台設備讀數最大的電表（同一負載可能有好幾個表，不相加）在範圍內的用電、和前一段同樣長的時間相比，以"
                "及估計與缺漏。",
                "Energy of the asset's largest meter (several may measure one load, so they are not added up), "
                "against the span of the same length before, and how much is estimated or missing.",
            ),
            query="asset/now",
            columns=(
                Column(name="energy_kwh", title=Words("用電", "energy"), unit=KWH, steps=PLAIN),
                Column(name="change", title=CHANGE_COLUMN.title, unit=CHANGE_COLUMN.unit, decimals=1, steps=PLAIN),
                ESTIMATED_COLUMN,
                MISSING_COLUMN,
            ),
            width=16,
            empty=NO_METER,
        ),
        Panel(
            kind=Kind.STAT,
            title=Words("警報", "Alerts"),
            says=Words(
                "範圍結束時未解除的、範圍內新開的。內容與處置在最下面。",
                "Open at the end of the range, and opened in it. What they say and what to do is at the bottom.",
            ),
            query="asset/open_alerts",
            columns=(
                Column(name="open", title=Words("未解除", "open"), unit=COUNT, steps=ZERO_IS_GOOD),
                Column(name="opened", title=Words("範圍內新開", "opened in range"), unit=COUNT, steps=ZERO_IS_BEST),
            ),
            width=8,
        ),
    ),
)
HOW_IT_RAN: Final = Section(
    Words("它怎麼運轉？", "How did it run?"),
    (
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("功率", "Power"),
            says=Words(
                "每個電表的平均功率。線中斷是缺資料。點線看那個量測點。",
                "Mean power of each meter. A break is missing data. Click a line for the point.",
            ),
            query="asset/power",
            unit=KW,
            least="5m",
            height=9,
            link=TO_POINT_OF_SERIES,
            empty=NO_METER,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("溫度", "Temperature"),
            says=Words(
                "每個溫度點在各時段的平均。功率一樣而溫度升高，先看門、除霜與冷媒。",
                "Mean of each temperature. When it rises at the same power, look at the doors, the defrost and the "
                "refrigerant first.",
            ),
            query="asset/temperatures",
            unit=CELSIUS,
            decimals=1,
            least="5m",
            drawing=Drawing(from_zero=False, fill=0),
            width=12,
            link=TO_POINT_OF_SERIES,
            empty=Words("這台設備沒有溫度點", "this asset has no temperature"),
        ),
        Panel(
            kind=Kind.STATE_TIMELINE,
            title=Words("狀態", "States"),
            says=Words(
                "門、運轉等狀態點最後的字：綠是關或停，橙是開或動，紫是別的字（在量測點的原始讀值裡）。",
                "The last word of doors, runs and other states: green closed or idle, orange open or active, purple "
                "another word, which the point's raw readings show.",
            ),
            query="asset/states",
            names=STATE_CODE,
            least="5m",
            width=12,
            empty=Words(
                "這台設備沒有狀態點，或這段時間沒有變化", "this asset has no states, or none changed in this range"
            ),
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("電以外的數量", "Amounts beside energy"),
            says=Words(
                "燃料、冷媒、件數、無效電力在範圍內的合計；「不確定」是估計或部分缺漏的區間數。",
                "Fuel, refrigerant, pieces and reactive energy of the range; unsure counts intervals that are "
                "estimated or partial.",
            ),
            query="asset/amounts",
            columns=(
                HIDDEN_SITE,
                HIDDEN_ASSET,
                POINT_COLUMN,
                Column(name="amount", title=Words("數量", "Amount"), decimals=2),
                Column(name="unit", title=Words("單位", "Unit"), width=80),
                Column(
                    name="unsure_intervals",
                    title=Words("不確定", "Unsure"),
                    unit=COUNT,
                    steps=ZERO_IS_BEST,
                    is_coloured=True,
                ),
            ),
            height=5,
            empty=Words("這台設備沒有電以外的計量", "this asset counts nothing beside energy"),
        ),
    ),
)
USUAL: Final = Section(
    Words("這樣正常嗎？", "Was that usual?"),
    (
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("異常分數", "Anomaly scores"),
            says=Words(
                "每個量測點最高的分數；0.5 的橙色虛線以上值得看一眼。點線看它的預期帶。",
                "The highest score of each point; above the dashed orange line at 0.5 it is worth a look. Click a "
                "line for its band.",
            ),
            query="asset/scores",
            lowest=0,
            highest=1,
            least="15m",
            steps=SCORE_LINE,
            drawing=Drawing(has_limits=True, fill=0),
            link=TO_POINT_OF_SERIES,
            empty=Words("這段時間沒有分數", "no scores in this range"),
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("警報", "Alerts"),
            says=Words("這台設備的警報，最新的在前。", "Alerts of this asset, the newest first."),
            query="asset/alerts",
            columns=(
                SEVERITY_COLUMN,
                Column(name="rule", title=Words("規則", "Rule")),
                moment("opened_at", Words("開始", "Opened")),
                Column(name="lasted_s", title=Words("歷時", "Lasted"), unit=SECONDS),
                *said_columns("said", Words("說明", "What it says")),
                *said_columns("advice", Words("怎麼做", "What to do")),
            ),
            empty=Words("這段時間沒有警報", "no alerts in this range"),
        ),
    ),
)
MEASURED_BY: Final = Section(
    Words("它靠什麼量？", "What is it measured by?"),
    (
        Panel(
            kind=Kind.TABLE,
            title=Words("量測點", "Points"),
            says=Words(
                "這台設備的量測點與最後一個有資料的區間。點量測點看它的原始讀值。",
                "The points of this asset, and the end of the last interval of which something is known. Click one "
                "for its raw readings.",
            ),
            query="asset/points",
            columns=(
                HIDDEN_SITE,
                HIDDEN_ASSET,
                POINT_COLUMN,
                Column(name="kind", title=Words("種類", "Kind"), names=KIND),
                Column(name="unit", title=Words("單位", "Unit"), width=80),
                moment("ends_at", Words("最後區間", "Last interval")),
            ),
        ),
    ),
)
BOARD: Final = Board(
    name="asset",
    title=Words("設備", "Asset"),
    question=Words("這台設備還好嗎？怎麼運轉、這樣正常嗎？", "How is this asset? How did it run, and was that usual?"),
    variables=(SITE, ASSET),
    sections=(HOW_IS_IT, HOW_IT_RAN, USUAL, MEASURED_BY),
)
