"""One point down to its raw readings: what it is, whether its values are usual and whole, and what came."""

from __future__ import annotations

from typing import Final

from dashboards.choices import (
    ASSET_COLUMN,
    ESTIMATED_COLUMN,
    HIDDEN_SITE,
    MISSING_COLUMN,
    POINT,
    SITE,
    UNIT,
    moment,
    narrow,
)
from dashboards.looks import (
    AGE,
    AGO,
    COUNT,
    DECISION,
    EVENT,
    KIND,
    KWH,
    PLAIN,
    QUALITY,
    QUALITY_CODE,
    READING_QUALITY,
    SCORE_LINE,
    SECONDS,
    YES_NO,
    ZERO_IS_BEST,
)
from dashboards.parts import Board, Column, Drawing, Kind, Panel, Section
from dashboards.words import Words

NO_ENERGY: Final = Words("這個點不量電", "this point measures no energy")
NO_READINGS: Final = Words(
    "這段時間沒有讀值；虛擬表沒有自己的讀值，很舊的可能只在封存裡",
    "no readings in this range: a virtual meter has none of its own, and old ones may be in the archive alone",
)
NO_SCORE: Final = Words(
    "這個點沒有分數：狀態、虛擬表，或這段時間沒有完整的區間",
    "this point has no scores: a state, a virtual meter, or no whole interval in this range",
)
LOWER: Final = Words("下限", "lower")
HOURLY: Final = {"spanNulls": 3_700_000}
"""A meter that is read by the hour has one score an hour: what is apart by that (ms) is one line."""
BAND: Final = {"fillOpacity": 0, "lineWidth": 0, "lineStyle": {"fill": "dash", "dash": [4, 4]}, **HOURLY}

WHAT_IS_IT: Final = Section(
    Words("這個點是什麼、資料新不新？", "What is this point, and is it fresh?"),
    (
        Panel(
            kind=Kind.TABLE,
            title=Words("量測點", "The point"),
            says=Words(
                "種類、單位、區間長度與最後一個有資料的區間。點設備回到它的頁。",
                "Its kind, unit, length of interval, and the end of the last interval of which something is known. "
                "Click the asset to go back to its page.",
            ),
            query="point/about",
            columns=narrow(
                110,
                HIDDEN_SITE,
                ASSET_COLUMN,
                Column(name="kind", title=Words("種類", "Kind"), names=KIND),
                Column(name="unit", title=Words("單位", "Unit"), width=80),
                Column(name="interval_s", title=Words("區間", "Interval"), unit=SECONDS),
                moment("ends_at", Words("最後區間", "Last interval")),
            ),
            width=12,
            height=4,
        ),
        Panel(
            kind=Kind.STAT,
            title=Words("讀值", "Readings"),
            says=Words(
                "範圍內最後一筆離範圍結束多久、共幾筆、遲到幾筆（讓區間重算）、品質不是良好的幾筆。",
                "How long before the end of the range the last one was, how many there are, how many came late (and "
                "had intervals computed again), and how many are not of good quality.",
            ),
            query="point/freshness",
            columns=(
                Column(name="age_s", title=Words("多久前", "ago"), unit=AGO, decimals=0, steps=AGE),
                Column(name="readings", title=Words("筆數", "readings"), unit="locale", steps=PLAIN),
                Column(name="late", title=Words("遲到", "late"), unit=COUNT, steps=ZERO_IS_BEST),
                Column(name="doubtful", title=Words("品質存疑", "doubtful"), unit=COUNT, steps=ZERO_IS_BEST),
            ),
            width=12,
            empty=NO_READINGS,
        ),
    ),
)
USUAL: Final = Section(
    Words("數值正常嗎？", "Are its values usual?"),
    (
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("數值與預期（${unit}）", "Value and what was expected (${unit})"),
            says=Words(
                "藍色是數值（電量以功率表示），灰色虛線是預期，淺帶是預期的範圍。出帶而且沒人知道原因，就是該查的。",
                "Blue is the value (an amount as a rate), the dashed grey line what was expected, the shade its band. "
                "What leaves the band without anybody knowing why is what to look into.",
            ),
            query="point/expected",
            columns=(
                Column(
                    name="value", title=Words("數值", "value"), colour="blue", custom={"lineWidth": 2, "fillOpacity": 0}
                ),
                Column(
                    name="expected",
                    title=Words("預期", "expected"),
                    colour="text",
                    custom={"lineStyle": {"fill": "dash", "dash": [8, 6]}, "fillOpacity": 0, **HOURLY},
                ),
                Column(name="lower", title=LOWER, colour="light-green", custom=BAND),
                Column(
                    name="upper",
                    title=Words("上限", "upper"),
                    colour="light-green",
                    custom={"lineWidth": 0, "fillBelowTo": LOWER, "fillOpacity": 15, **HOURLY},
                ),
            ),
            decimals=2,
            least="5m",
            drawing=Drawing(from_zero=False),
            height=10,
            empty=NO_SCORE,
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("異常分數", "Anomaly score"),
            says=Words("0.5 的橙色虛線以上值得看一眼。", "Above the dashed orange line at 0.5 it is worth a look."),
            query="point/score",
            columns=(Column(name="score", title=Words("分數", "score"), colour="purple", custom=HOURLY),),
            lowest=0,
            highest=1,
            least="5m",
            steps=SCORE_LINE,
            drawing=Drawing(has_limits=True, fill=0),
            height=6,
            empty=NO_SCORE,
        ),
    ),
)
WHOLE: Final = Section(
    Words("它的電量完整嗎？", "Is its energy whole?"),
    (
        Panel(
            kind=Kind.STAT,
            title=Words("電量", "Energy"),
            says=Words(
                "範圍內的電量、其中估計的比例、一無所知的時間比例，以及遲到資料重算過的區間數。",
                "Energy of the range, the estimated share of it, the share of time of which nothing is known, and "
                "intervals that late readings had computed again.",
            ),
            query="point/energy",
            columns=(
                Column(name="energy_kwh", title=Words("電量", "energy"), unit=KWH, steps=PLAIN),
                ESTIMATED_COLUMN,
                MISSING_COLUMN,
                Column(name="revised", title=Words("修訂", "revised"), unit=COUNT, steps=PLAIN),
            ),
            empty=NO_ENERGY,
        ),
        Panel(
            kind=Kind.STATE_TIMELINE,
            title=Words("品質", "Quality"),
            says=Words(
                "綠是實測，黃是估計，橙是部分缺漏，紅是缺漏。",
                "Green measured, yellow estimated, orange partial, red missing.",
            ),
            query="point/quality",
            columns=(Column(name="quality", title=Words("品質", "quality")),),
            names=QUALITY_CODE,
            least="5m",
            height=5,
            empty=NO_ENERGY,
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("不是實測或修訂過的區間", "Intervals not measured, or revised"),
            says=Words(
                "最新的在前，最多 100 個。修訂大於 0 表示遲到資料讓它重算過；先前的值查 kilowatch query --as-of。",
                "The newest first, 100 at most. A revision above 0 was computed again for late readings; what it was "
                "before, ask by kilowatch query --as-of.",
            ),
            query="point/intervals",
            columns=(
                moment("starts_at", Words("開始", "Begins")),
                Column(name="energy_kwh", title=Words("電量", "Energy"), unit=KWH, decimals=3),
                Column(name="estimated_kwh", title=Words("其中估計", "Estimated"), unit=KWH, decimals=3),
                Column(name="missing_s", title=Words("缺漏", "Missing"), unit=SECONDS),
                Column(name="quality", title=Words("品質", "Quality"), names=QUALITY, is_coloured=True),
                Column(name="revision", title=Words("修訂", "Revision"), unit=COUNT, width=80),
            ),
            width=12,
            empty=Words("全是實測，沒有修訂", "all are measured, none revised"),
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("對累計表的判定", "Decisions about the register"),
            says=Words(
                "進位、重置、換表、突波……與原因；表值是這個表自己的單位。",
                "Rollovers, resets, exchanges, glitches and the reasons; values are in the register's own unit.",
            ),
            query="point/events",
            columns=(
                moment("happened_at", Words("時間", "At")),
                Column(name="kind", title=Words("種類", "Kind"), names=EVENT, is_coloured=True),
                Column(name="before_kwh", title=Words("之前", "Before"), decimals=2),
                Column(name="after_kwh", title=Words("之後", "After"), decimals=2),
                Column(name="counted_kwh", title=Words("計入", "Counted"), decimals=2),
                Column(name="reason", title=Words("原因", "Reason"), names=DECISION),
            ),
            width=12,
            empty=Words("這段時間沒有判定", "no decisions in this range"),
        ),
    ),
)
WHAT_CAME: Final = Section(
    Words("收到的到底是什麼？", "What really came?"),
    (
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("原始讀值", "Raw readings"),
            says=Words(
                "每個時段的最低、平均、最高，照送來的單位。累計表是一條往上的線；直直掉下去的是歸零、換表或突波。",
                "Lowest, mean and highest of each interval, in the unit that they came in. A register climbs; where "
                "it falls sheer it was reset, exchanged, or glitched.",
            ),
            query="point/readings",
            columns=(
                Column(name="mean_value", title=Words("平均", "mean"), colour="blue"),
                Column(
                    name="lowest_value", title=Words("最低", "lowest"), colour="light-blue", custom={"fillOpacity": 0}
                ),
                Column(
                    name="highest_value", title=Words("最高", "highest"), colour="light-blue", custom={"fillOpacity": 0}
                ),
            ),
            decimals=2,
            drawing=Drawing(from_zero=False, fill=0),
            least="10s",
            empty=NO_READINGS,
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("最後 200 筆原始讀值", "The last 200 raw readings"),
            says=Words(
                "照收到的樣子：數值或文字、單位、送來的品質、是否遲到、在路上多久、從哪個閘道或檔案。",
                "As they came: value or word, unit, the sender's quality, whether late, how long under way, and from "
                "which gateway or file.",
            ),
            query="point/raw",
            columns=narrow(
                110,
                moment("read_at", Words("時間", "Read")),
                Column(name="value", title=Words("數值", "Value"), decimals=3),
                Column(name="text", title=Words("文字", "Word")),
                Column(name="unit", title=Words("單位", "Unit"), width=80),
                Column(name="quality", title=Words("品質", "Quality"), names=READING_QUALITY, is_coloured=True),
                Column(name="is_late", title=Words("遲到", "Late"), names=YES_NO, width=80),
                Column(name="way_s", title=Words("在路上", "Under way"), unit=SECONDS),
                Column(name="source", title=Words("來源", "Source")),
            ),
            height=12,
            empty=NO_READINGS,
        ),
    ),
)
BOARD: Final = Board(
    name="point",
    title=Words("量測點與原始讀值", "Point and raw readings"),
    question=Words(
        "這個點的數值正常、完整嗎？收到的到底是什麼？",
        "Are this point's values usual and whole? What really came?",
    ),
    variables=(SITE, POINT, UNIT),
    sections=(WHAT_IS_IT, USUAL, WHOLE, WHAT_CAME),
    since="now-24h",
)
