"""Anomalies and alerts: what is open, what happened, what is unusual, and whether people were told."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dashboards.choices import (
    ASSET_COLUMN,
    HIDDEN_SITE,
    POINT_COLUMN,
    SEVERITY_COLUMN,
    SITE_COLUMN,
    SITES,
    moment,
    said_columns,
)
from dashboards.looks import ALERT_CODE, CAUSE, COUNT, PLAIN, SCORE, SCORE_LINE, SECONDS, ZERO_IS_BEST, ZERO_IS_GOOD
from dashboards.parts import Board, Column, Drawing, Kind, Panel, Section
from dashboards.words import Words

SITE_OF_ALERT: Final = replace(SITE_COLUMN, width=170)
ASSET_OF_ALERT: Final = replace(ASSET_COLUMN, width=140)
LASTED: Final = Column(name="lasted_s", title=Words("歷時", "Lasted"), unit=SECONDS, width=110)
RULE: Final = Column(name="rule", title=Words("規則", "Rule"), width=130)
NO_ALERTS: Final = Words("這段時間沒有警報", "no alerts in this range")
NO_MESSAGES: Final = Words(
    "這段時間沒有發出訊息（沒有警報，或沒有設定通道）", "no messages in this range: no alerts, or no channels"
)

OPEN: Final = Section(
    Words("現在有哪些警報沒解除？", "What is open now?"),
    (
        Panel(
            kind=Kind.STAT,
            title=Words("警報", "Alerts"),
            says=Words(
                "時間範圍結束時未解除的警報，其中沒有人認領的，以及範圍內新開的。認領：kilowatch alerts ack。",
                "Alerts open at the end of the range, those of them that nobody has acknowledged, and what the range "
                "opened. To acknowledge: kilowatch alerts ack.",
            ),
            query="alerts/open",
            columns=(
                Column(name="critical", title=Words("緊急", "critical"), unit=COUNT, steps=ZERO_IS_GOOD),
                Column(name="warning", title=Words("警告", "warning"), unit=COUNT, steps=ZERO_IS_BEST),
                Column(
                    name="unacknowledged", title=Words("無人認領", "unacknowledged"), unit=COUNT, steps=ZERO_IS_GOOD
                ),
                Column(name="opened", title=Words("範圍內新開", "opened in range"), unit=COUNT, steps=PLAIN),
            ),
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("未解除", "Open"),
            says=Words(
                "最嚴重的在前，同級的最久的在前。「怎麼做」是站檔裡規則寫的處置。點設備看它。",
                "The gravest first, then the oldest. What to do comes from the rule in the site's file. Click the "
                "asset.",
            ),
            query="alerts/open_table",
            columns=(
                SEVERITY_COLUMN,
                SITE_OF_ALERT,
                ASSET_OF_ALERT,
                RULE,
                moment("opened_at", Words("開始", "Opened")),
                LASTED,
                Column(name="acknowledged_by", title=Words("認領", "Acknowledged by"), width=130),
                *said_columns("said", Words("說明", "What it says")),
                *said_columns("advice", Words("怎麼做", "What to do")),
            ),
            height=7,
            empty=Words("沒有未解除的警報", "nothing is open"),
        ),
    ),
)
HAPPENED: Final = Section(
    Words("發生了什麼、多久？", "What happened, and for how long?"),
    (
        Panel(
            kind=Kind.STATE_TIMELINE,
            title=Words("警報時間帶", "Alerts in time"),
            says=Words(
                "每個出過警報的對象一列，顏色是當時未解除的最嚴重等級。同一時間好幾列變色，通常是同一個原因。",
                "One line a subject that had an alert; the colour is the gravest one that was open. Lines that change "
                "together mostly have one cause.",
            ),
            query="alerts/timeline",
            names=ALERT_CODE,
            least="5m",
            height=7,
            empty=NO_ALERTS,
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("範圍內的警報", "Alerts of the range"),
            says=Words(
                "最新的在前，最多 100 筆，說明裡有離限值最遠的數值。常常重複的，不是規則太緊，就是原因沒有處理。",
                "The newest first, 100 at most, each with the value that was furthest from its limit. What comes again "
                "and again is a rule too tight, or a cause that nobody mended.",
            ),
            query="alerts/episodes",
            columns=(
                SEVERITY_COLUMN,
                SITE_OF_ALERT,
                ASSET_OF_ALERT,
                RULE,
                moment("opened_at", Words("開始", "Opened")),
                LASTED,
                *said_columns("said", Words("說明", "What it says")),
            ),
            height=9,
            empty=NO_ALERTS,
        ),
    ),
)
UNUSUAL: Final = Section(
    Words("有什麼和平常不同？", "Does anything behave unusually?"),
    (
        Panel(
            kind=Kind.TIME_SERIES,
            title=Words("各設備的異常分數", "Anomaly score of each asset"),
            says=Words(
                "每個時段各設備最高的分數，0 到 1。0.5（橙色虛線）以上值得看一眼；健康的場域一週約 0.5 次。剛啟用第一"
                "天的分數還不可靠。",
                "The highest score of each asset, from 0 to 1. Above 0.5, the dashed orange line, it is worth a look: "
                "a healthy site has that about once in two weeks. Scores of a point's first day are not reliable yet.",
            ),
            query="alerts/scores",
            lowest=0,
            highest=1,
            least="1h",
            steps=SCORE_LINE,
            drawing=Drawing(has_limits=True, fill=0),
            empty=Words("這段時間沒有分數", "no scores in this range"),
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("最不尋常的時段", "The most unusual intervals"),
            says=Words(
                "分數 0.4 以上最高的 25 個時段：當時的值、預期值、原因。點量測點看走勢與預期帶。先確認是不是現場真的不"
                "同，再確認是不是感測器。",
                "The 25 highest scores from 0.4 on: what was seen, what was expected, and why it is odd. Click the "
                "point for its course and band. First ask whether the site was different, then whether the sensor is.",
            ),
            query="alerts/anomalies",
            columns=(
                HIDDEN_SITE,
                ASSET_OF_ALERT,
                replace(POINT_COLUMN, width=300),
                moment("starts_at", Words("開始", "Begins")),
                Column(name="score", title=Words("分數", "Score"), decimals=2, steps=SCORE, is_coloured=True, width=80),
                Column(name="value", title=Words("數值", "Value"), decimals=2, width=100),
                Column(name="expected", title=Words("預期", "Expected"), decimals=2, width=100),
                Column(name="unit", title=Words("單位", "Unit"), width=70),
                Column(name="cause", title=Words("原因", "Cause"), names=CAUSE),
            ),
            height=9,
            empty=Words("沒有 0.4 以上的分數", "no score of 0.4 or more"),
        ),
    ),
)
TOLD: Final = Section(
    Words("該知道的人都收到了嗎？", "Were people told?"),
    (
        Panel(
            kind=Kind.TABLE,
            title=Words("通道", "Channels"),
            says=Words(
                "範圍內每個通道的訊息：送達、失敗（會重試）、放棄、未送（靜音、併入、已認領）。放棄不是 0 就修通道。",
                "Messages of each channel: sent, failed (tried again), given up, and withheld (silenced, grouped, "
                "acknowledged). Unless nothing was given up, mend the channel.",
            ),
            query="alerts/deliveries",
            columns=(
                Column(name="channel", title=Words("通道", "Channel")),
                Column(name="sent", title=Words("送達", "Sent"), unit=COUNT),
                Column(name="failed", title=Words("失敗", "Failed"), unit=COUNT, steps=ZERO_IS_BEST, is_coloured=True),
                Column(name="dead", title=Words("放棄", "Given up"), unit=COUNT, steps=ZERO_IS_GOOD, is_coloured=True),
                Column(name="withheld", title=Words("未送", "Withheld"), unit=COUNT),
                moment("last_sent_at", Words("最後送達", "Last sent")),
            ),
            width=12,
            height=7,
            empty=NO_MESSAGES,
        ),
        Panel(
            kind=Kind.TABLE,
            title=Words("放棄的訊息", "Dead letters"),
            says=Words(
                "這個通道沒有送達、也不會再試的訊息：原因與 HTTP 代碼。看 kilowatch alerts deliveries --dead。",
                "Messages that this channel did not deliver and will not try again, with the reason and HTTP code. See "
                "kilowatch alerts deliveries --dead.",
            ),
            query="alerts/dead_letters",
            columns=(
                moment("attempted_at", Words("時間", "At")),
                SITE_COLUMN,
                Column(name="channel", title=Words("通道", "Channel")),
                Column(name="kind", title=Words("種類", "Kind")),
                Column(name="code", title=Words("代碼", "Code"), unit=COUNT, width=70),
                Column(name="reason", title=Words("原因", "Reason")),
            ),
            width=12,
            height=7,
            empty=Words("沒有放棄的訊息", "no dead letters"),
        ),
    ),
)
BOARD: Final = Board(
    name="alerts",
    title=Words("異常與警報", "Anomalies and alerts"),
    question=Words(
        "有什麼沒解除、發生了什麼、什麼和平常不同、該知道的人知道了嗎？",
        "What is open, what happened, what is unusual, and were people told?",
    ),
    variables=(SITES,),
    sections=(OPEN, HAPPENED, UNUSUAL, TOLD),
)
