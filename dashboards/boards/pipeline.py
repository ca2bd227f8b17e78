"""Pipeline health: whether everything runs, how far each site is, who is silent, what comes in and what is refused."""

from __future__ import annotations

from typing import Final

from dashboards.choices import HIDDEN_ASSET, HIDDEN_SITE, POINT_COLUMN, SITE_COLUMN, moment, narrow
from dashboards.looks import AGE, AGO, COUNT, KIND, REJECTION, SECONDS, ZERO_IS_BEST, ZERO_IS_GOOD
from dashboards.parts import Board, Column, Drawing, Kind, Panel, Section
from dashboards.words import Words

RUNNING: Final = Section(
    Words("一切都在運轉嗎？", "Is everything running?"),
    (
        Panel(
            kind=Kind.STAT,
            title=Words("落後與沉默", "Behind, and silent"),
            says=Words(
                "落後最多的場域：最後一個有資料的區間離時間範圍的結束多久。平常不超過半小時；超過一小時就看下面哪個場"
                "域、哪個閘道。沉默：最後一小時沒有區間的量測點數。",
                "Of the site that is furthest behind: from the end of its last known interval to the end of the "
                "range. Half an hour is usual; beyond an hour see below which site and which gateway. Silent counts "
                "points without an interval in the last hour.",
            ),
            query="pipeline/state",
            columns=(
                Column(name="oldest_s", title=Words("落後最多", "furthest behind"), unit=AGO, decimals=0, steps=AGE),
                Column(name="silent_points", title=Words("沉默的點", "silent points"), unit=COUNT, steps=ZERO_IS_BEST),
            ),
            width=12,
            empty=Words("庫裡還沒有場域", "the store has no site yet"),
        ),
        Panel(
            kind=Kind.STAT,
            title=Words("拒絕與放棄", "Rejected, and given up"),
            says=Words(
                "範圍內不能用的讀值與訊息，以及放棄送出的警報訊息。後者不是 0：有人該知道而不知道，先修通道。",
                "Readings and messages that could not be used, and messages about alerts that were given up. Unless "
                "the latter is 0, somebody was not told who should have been: mend the channel first.",
            ),
            query="pipeline/refused",
            columns=(
                Column(name="rejected", title=Words("隔離", "quarantined"), unit=COUNT, steps=ZERO_IS_BEST),
                Column(name="dead_letters", title=Words("放棄的訊息", "dead letters"), unit=COUNT, steps=ZERO_IS_GOOD),
            ),
            width=12,
        ),
    ),
)
HOW_FAR: Final = Section(
    Words("每個場域到哪裡了？", "How far is each site?"),
    (
        Panel(
            kind=Kind.TABLE,
            title=Words("場域", "Sites"),
            says=Words(
                "落後最多的在前。「時鐘」是最後記錄的時刻；它在走而區間不走，表示讀值沒來。「未封存」一直變大，表示封"
                "存寫不出去。",
                "The furthest behind first. Clock is the last time that was recorded: where it goes on and the "
                "intervals do not, no readings come. Unarchived that keeps growing means that the archive cannot be "
                "written.",
            ),
            query="pipeline/sites",
            columns=narrow(
                90,
                SITE_COLUMN,
                moment("ends_at", Words("最後區間", "Last interval")),
                Column(
                    name="behind_s",
                    title=Words("落後", "Behind"),
                    unit=SECONDS,
                    steps=AGE,
                    is_coloured=True,
                ),
                moment("ticked_at", Words("時鐘", "Clock")),
                Column(name="readings", title=Words("讀值", "Readings"), unit="locale"),
                Column(name="unarchived_readings", title=Words("未封存", "Unarchived"), unit="locale"),
                Column(name="log", title=Words("日誌", "Log"), width=80),
                Column(name="part", title=Words("分區", "Part"), unit=COUNT, width=55),
            ),
            width=16,
            empty=Words("庫裡還沒有場域", "the store has no site yet"),
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("日誌的位置", "Positions in the log"),
            says=Words(
                "現在每個分區下一則訊息的位移與提交次數。兩次重新整理之間不動，表示沒有 worker 或沒有訊息；還有多少沒"
                "讀要問 Kafka：kilowatch doctor 或指標 kilowatch_lag_messages。",
                "The offset of the next message of each part, and the commits, as they are now. Where they stand "
                "still between two refreshes there is no worker or no message. How many wait only Kafka knows: "
                "kilowatch doctor, or the metric kilowatch_lag_messages.",
            ),
            query="pipeline/log",
            columns=(
                Column(name="log", title=Words("日誌", "Log")),
                Column(name="part", title=Words("分區", "Part"), unit=COUNT, width=70),
                Column(name="next_offset", title=Words("下一則", "Next"), unit="locale"),
                Column(name="commits", title=Words("提交", "Commits"), unit="locale"),
            ),
            width=8,
            empty=Words("這個庫不讀日誌（檔案匯入）", "this store reads no log: files were ingested"),
        ),
    ),
)
WHO_IS_SILENT: Final = Section(
    Words("誰沒有聲音？", "Who is silent?"),
    (
        Panel(
            kind=Kind.TABLE,
            title=Words("閘道與檔案", "Gateways and files"),
            says=Words(
                "範圍最後一天聽到的來源，最久沒聲音的在前。「最慢」是讀值從發生到收到最久的一筆：超過允許的遲到就會重"
                "算。",
                "Sources that were heard in the last day of the range, the longest silent first. Slowest is the "
                "longest that a reading was under way: beyond the allowed lateness its intervals are computed again.",
            ),
            query="pipeline/sources",
            columns=narrow(
                78,
                Column(name="source", title=Words("來源", "Source")),
                Column(name="readings", title=Words("讀值", "Readings"), unit="locale"),
                Column(name="points", title=Words("點", "Points"), unit=COUNT, width=60),
                moment("last_read_at", Words("最後讀值", "Last reading")),
                Column(
                    name="heard_s",
                    title=Words("多久前收到", "Heard ago"),
                    unit=SECONDS,
                    steps=AGE,
                    is_coloured=True,
                ),
                Column(name="slowest_s", title=Words("最慢", "Slowest"), unit=SECONDS),
            ),
            width=13,
            empty=Words("最後一天沒有任何讀值", "no reading in the last day of the range"),
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("沉默的量測點", "Silent points"),
            says=Words(
                "最後一個有資料的區間早於範圍結束前一小時的點。同一設備全在這裡：看那台的電源或通訊；點量測點看最後的"
                "讀值。",
                "Points whose last known interval ended more than an hour before the end of the range. Where all of "
                "an asset are here, look at its power and its line; click the point for its last readings.",
            ),
            query="pipeline/silent_points",
            columns=(
                HIDDEN_SITE,
                HIDDEN_ASSET,
                POINT_COLUMN,
                Column(name="kind", title=Words("種類", "Kind"), names=KIND, width=80),
                moment("ends_at", Words("最後區間", "Last interval")),
                Column(
                    name="silent_s",
                    title=Words("沉默", "Silent"),
                    unit=SECONDS,
                    steps=AGE,
                    is_coloured=True,
                    width=110,
                ),
            ),
            width=11,
            empty=Words("每個點都有聲音", "every point is heard"),
        ),
    ),
)
WHAT_COMES: Final = Section(
    Words("進來了什麼、擋下了什麼？", "What comes in, and what is refused?"),
    (
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("每分鐘讀值", "Readings a minute"),
            says=Words(
                "依讀值自己的時間，最多到範圍的最後七天。平常是平的；整條掉下去是閘道或網路，慢慢變少是感測器一個個沒"
                "電。",
                "By their own time, of the last seven days of the range at most. It is usually flat: a whole line "
                "that falls is a gateway or the network, one that ebbs away is sensors that lose power one by one.",
            ),
            query="pipeline/arrivals",
            unit=COUNT,
            decimals=1,
            least="1m",
            width=12,
            empty=Words("這段時間沒有讀值", "no readings in this range"),
        ),
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("隔離的讀值", "Quarantined"),
            says=Words(
                "依收到的時間與原因。原因與原文在「資料品質」。",
                "By arrival and reason. The reasons and what came are on the dashboard of data quality.",
            ),
            query="pipeline/quarantined",
            columns=tuple(Column(name=reason, title=named.words) for reason, named in REJECTION.items()),
            unit=COUNT,
            least="5m",
            drawing=Drawing(is_bars=True, is_stacked=True),
            width=12,
            empty=Words("這段時間沒有被拒絕的資料", "nothing was rejected in this range"),
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("放棄的警報訊息", "Dead letters"),
            says=Words(
                "不會再試的訊息：修好通道後，看 kilowatch alerts deliveries --dead 決定要不要補通知。",
                "Messages that will not be tried again. Mend the channel, then decide by kilowatch alerts deliveries "
                "--dead whom to tell.",
            ),
            query="pipeline/dead_letters",
            columns=(
                moment("attempted_at", Words("時間", "At")),
                SITE_COLUMN,
                Column(name="channel", title=Words("通道", "Channel")),
                Column(name="kind", title=Words("種類", "Kind")),
                Column(name="code", title=Words("代碼", "Code"), unit=COUNT, width=70),
                Column(name="reason", title=Words("原因", "Reason")),
            ),
            height=6,
            empty=Words("沒有放棄的訊息", "no dead letters"),
        ),
    ),
)
BOARD: Final = Board(
    name="pipeline",
    title=Words("資料管線", "Pipeline health"),
    question=Words(
        "一切都在運轉嗎？每個場域到哪裡、誰沒有聲音、擋下了什麼？",
        "Is everything running? How far is each site, who is silent, and what is refused?",
    ),
    variables=(),
    sections=(RUNNING, HOW_FAR, WHO_IS_SILENT, WHAT_COMES),
    since="now-24h",
    refresh="1m",
)
