"""Data quality: whether totals can be trusted, where the holes are, what registers did, what was rejected."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dashboards.choices import (
    ASSET_COLUMN,
    ESTIMATED_COLUMN,
    HIDDEN_ASSET,
    HIDDEN_SITE,
    MISSING_COLUMN,
    POINT_COLUMN,
    SITES,
    moment,
    narrow,
)
from dashboards.looks import (
    COUNT,
    DECISION,
    EVENT,
    EXACTLY_ZERO,
    KWH,
    PLAIN,
    QUALITY_CODE,
    REJECTION,
    SECONDS,
    ZERO_IS_BEST,
)
from dashboards.parts import Board, Column, Kind, Panel, Section
from dashboards.words import Words

NO_METERS: Final = Words("這段時間沒有電表資料", "no data of meters in this range")


def _kwh(name: str, title: Words) -> Column:
    return Column(name=name, title=title, unit=KWH, decimals=2)


TRUST: Final = Section(
    Words("合計可以相信嗎？", "Can I trust the totals?"),
    (
        Panel(
            kind=Kind.STAT,
            title=Words("電量守恆", "Energy is conserved"),
            says=Words(
                "每個累計表、每個當地日：表的增量＋進位＋重置＋換表－隔離＝各區間的和。這裡是範圍內最大的差額，必須正"
                "好是 0；右邊是核對過的表日數。不是 0 就是軟體或資料庫出了錯：停止引用這些數字，到下面的表看是哪個表。",
                "For each register and local day: growth + wraps + resets + exchanges − quarantined = sum of the "
                "intervals. This is the largest difference of the range, which is exactly 0, and how many "
                "register-days were added up. Anything else is a fault of the software or the database: quote no "
                "number of it, and look below for the register.",
            ),
            query="quality/tile",
            columns=(
                Column(
                    name="residual_kwh",
                    title=Words("最大差額", "largest residual"),
                    unit=KWH,
                    decimals=6,
                    steps=EXACTLY_ZERO,
                ),
                Column(name="register_days", title=Words("表日數", "register-days"), unit=COUNT, steps=PLAIN),
            ),
            width=9,
            height=5,
            empty=Words("這段時間沒有累計表的日結", "no register-day in this range"),
        ),
        Panel(
            kind=Kind.STAT,
            title=Words("購電的完整度", "How whole the purchased energy is"),
            says=Words(
                "估計：電表前後讀值夾住、平均分攤的電量。缺漏：一無所知的時間，不算成 0。修訂：遲到資料讓多少個 15 分"
                "鐘重算過。任一比例超過 5 %，報表要註明。",
                "Estimated is energy of gaps that readings bracket, spread evenly; missing is time of which nothing "
                "is known, which is not zero. Revised counts quarter-hours that late readings had computed again. "
                "Where a share passes 5 %, say so in the report.",
            ),
            query="quality/shares",
            columns=(
                ESTIMATED_COLUMN,
                MISSING_COLUMN,
                Column(
                    name="revised_quarters", title=Words("修訂的 15 分鐘", "revised quarters"), unit=COUNT, steps=PLAIN
                ),
            ),
            width=10,
            height=5,
            empty=NO_METERS,
        ),
        Panel(
            kind=Kind.STAT,
            title=Words("隔離", "Quarantine"),
            says=Words(
                "範圍內收到而不能用的讀值與訊息，全部場域。它們沒有不見：最下面有原因與原文。",
                "Readings and messages of the range that could not be used, of all sites. Nothing is lost: the "
                "reasons, and what came, are at the bottom.",
            ),
            query="quality/rejected",
            columns=(Column(name="rejected", title=Words("筆", "rejected"), unit=COUNT, steps=ZERO_IS_BEST),),
            width=5,
            height=5,
        ),
    ),
)
HOLES: Final = Section(
    Words("洞在哪裡？", "Where are the holes?"),
    (
        Panel(
            kind=Kind.STATE_TIMELINE,
            title=Words("各電表的品質", "Quality of each meter"),
            says=Words(
                "沒有全部實測的電表各一列，最多十二個：綠是實測，黃是估計，橙是部分缺漏，紅是缺漏。好幾列同時變紅是閘道"
                "或網路；只有一列是那個表。",
                "One line a meter that is not measured throughout, the worst twelve: green measured, yellow estimated, "
                "orange partial, red missing. Many lines at once are a gateway or the network; a single one is its "
                "meter.",
            ),
            query="quality/timeline",
            names=QUALITY_CODE,
            least="1h",
            height=11,
            empty=Words("每個電表都是實測", "every meter is measured throughout"),
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("電表", "Meters"),
            says=Words(
                "缺漏最多的在前。點量測點看是哪些區間、原始讀值長什麼樣子。虛擬表的估計是成員的和，可能超過本身的電量"
                "。",
                "Most missing first. Click the point for the intervals and its raw readings. Of a virtual meter the "
                "estimated parts of its members add up, and can exceed its own energy.",
            ),
            query="quality/points",
            columns=narrow(
                130,
                HIDDEN_SITE,
                ASSET_COLUMN,
                replace(POINT_COLUMN, width=320),
                Column(name="missing_s", title=Words("缺漏時間", "Missing"), unit=SECONDS),
                Column(
                    name="missing_share",
                    title=Words("缺漏", "Missing share"),
                    unit=MISSING_COLUMN.unit,
                    decimals=1,
                    steps=MISSING_COLUMN.steps,
                    is_coloured=True,
                ),
                _kwh("estimated_kwh", Words("估計電量", "Estimated energy")),
                Column(
                    name="estimated_share",
                    title=Words("估計", "Estimated share"),
                    unit=ESTIMATED_COLUMN.unit,
                    decimals=1,
                    steps=ESTIMATED_COLUMN.steps,
                    is_coloured=True,
                ),
                Column(name="revised", title=Words("修訂", "Revised"), unit=COUNT),
            ),
            height=10,
            empty=NO_METERS,
        ),
    ),
)
REGISTERS: Final = Section(
    Words("累計表做了什麼？", "What did the registers do?"),
    (
        Panel(
            kind=Kind.BAR_GAUGE,
            title=Words("判定", "Decisions"),
            says=Words(
                "範圍內對累計表的判定數。進位、重置、換表是正常的；突波多是通訊或接線，跳號與不明下降要去看表。",
                "Decisions about registers. Rollovers, resets and exchanges are normal; many glitches are wiring or "
                "the line; of a jump or an unclear drop, look at the meter.",
            ),
            query="quality/event_kinds",
            columns=(
                Column(name="kind", names=EVENT),
                Column(name="decisions", unit=COUNT, steps=PLAIN),
            ),
            is_row_wise=True,
            lowest=0,
            width=5,
            height=9,
            empty=Words("這段時間沒有判定", "no decisions in this range"),
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("判定與原因", "Decisions and their reasons"),
            says=Words(
                "每列一個判定：前後的表值、算進去的電量、原因。覺得判錯了，點量測點看原始讀值。",
                "One row a decision: the register before and after, what was counted, and why. If it seems wrong, "
                "click the point for its raw readings.",
            ),
            query="quality/events",
            columns=(
                moment("happened_at", Words("時間", "At")),
                HIDDEN_SITE,
                HIDDEN_ASSET,
                replace(POINT_COLUMN, width=250),
                Column(name="kind", title=Words("種類", "Kind"), names=EVENT, is_coloured=True, width=110),
                Column(name="before_kwh", title=Words("之前", "Before"), decimals=2, width=95),
                Column(name="after_kwh", title=Words("之後", "After"), decimals=2, width=95),
                Column(name="counted_kwh", title=Words("計入", "Counted"), decimals=2, width=85),
                Column(name="reason", title=Words("原因", "Reason"), names=DECISION),
            ),
            width=19,
            height=9,
            empty=Words("這段時間沒有判定", "no decisions in this range"),
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("守恆帳", "The account"),
            says=Words(
                "有進位、重置、換表、隔離或差額的表日，差額最大的在前。每列都要滿足：增量＋進位＋重置＋換表－隔離＝區"
                "間和。",
                "Register-days with wraps, resets, exchanges, quarantined readings or a residual, the largest "
                "residual first. In each row growth + wraps + resets + exchanges − quarantined = intervals.",
            ),
            query="quality/conservation",
            columns=narrow(
                115,
                Column(name="day", title=Words("日", "Day"), width=100),
                HIDDEN_SITE,
                HIDDEN_ASSET,
                replace(POINT_COLUMN, width=280),
                _kwh("register_delta_kwh", Words("增量", "Growth")),
                _kwh("wrapped_kwh", Words("進位", "Wraps")),
                _kwh("reset_kwh", Words("重置", "Resets")),
                _kwh("exchanged_kwh", Words("換表", "Exchanges")),
                _kwh("interval_kwh", Words("區間和", "Intervals")),
                _kwh("quarantined_kwh", Words("隔離", "Quarantined")),
                Column(
                    name="residual_kwh",
                    title=Words("差額", "Residual"),
                    unit=KWH,
                    decimals=6,
                    steps=EXACTLY_ZERO,
                    is_coloured=True,
                ),
            ),
            height=9,
            empty=Words("每個表都只是往前走", "every register just went on"),
        ),
    ),
)
REJECTED: Final = Section(
    Words("什麼被拒絕、為什麼？", "What was rejected, and why?"),
    (
        Panel(
            kind=Kind.TABLE,
            title=Words("原因", "Reasons"),
            says=Words(
                "全部場域。同一原因突然變多，通常是閘道改了設定或站檔少了一個量測點。",
                "Of all sites. One reason that grows at once is mostly a gateway that was set otherwise, or a point "
                "that the site's file lacks.",
            ),
            query="quality/reasons",
            columns=(
                Column(name="reason", title=Words("原因", "Reason"), names=REJECTION),
                Column(name="rejected", title=Words("筆", "Rejected"), unit=COUNT, width=90),
                Column(name="sources", title=Words("來源數", "Sources"), unit=COUNT, width=80),
                moment("last_at", Words("最後", "Last")),
            ),
            width=10,
            empty=Words("這段時間沒有被拒絕的資料", "nothing was rejected in this range"),
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("最後被拒絕的", "The last ones"),
            says=Words(
                "原文照收，最新的在前，最多 50 筆。",
                "As they came, the newest first, 50 at most.",
            ),
            query="quality/last_rejected",
            columns=(
                moment("received_at", Words("收到", "Received")),
                Column(name="source", title=Words("來源", "Source"), width=200, custom={"wrapText": True}),
                Column(name="reason", title=Words("原因", "Reason"), names=REJECTION, width=160),
                Column(name="payload", title=Words("原文", "Payload"), custom={"inspect": True}),
            ),
            width=14,
            empty=Words("這段時間沒有被拒絕的資料", "nothing was rejected in this range"),
        ),
    ),
)
BOARD: Final = Board(
    name="quality",
    title=Words("資料品質", "Data quality"),
    question=Words(
        "合計可以相信嗎？洞在哪裡、表做了什麼、什麼被拒絕？",
        "Can I trust the totals? Where are the holes, what did the registers do, and what was rejected?",
    ),
    variables=(SITES,),
    sections=(TRUST, HOLES, REGISTERS, REJECTED),
    since="now-14d",
)
