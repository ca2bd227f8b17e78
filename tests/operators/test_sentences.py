"""Sentences word by word, in both languages."""

from __future__ import annotations

from datetime import datetime

import pytest

from streams.domain.alerts import Words
from streams.operators import sentences
from tests.operators.watched_site import FEED, MINUTE_MS, ROOM, Run, contract, warm, watch_of

AT = datetime(2026, 7, 13, 10, 5)  # noqa: DTZ001 - only its digits are shown
ROOM_LABEL = Words("冷藏庫 room/temp", "Cold room room/temp")
HEADS_ZH = "本時段需量預計達 712 kW，將超過契約容量 700 kW：已用 118 kWh，剩 6 分鐘，照此約 4 分鐘後超約。"
HEADS_EN = (
    "Demand of this quarter-hour heads for 712 kW, past the contract of 700 kW: 118 kWh used, 6 min left, "
    "breach in about 4 min."
)

GOLDEN = {
    "above": (
        sentences.limit(ROOM_LABEL, 9.53, 8.0, "Cel", AT),
        "冷藏庫 room/temp 9.53 °C，高於上限 8 °C，自 07-13 10:05 起。",
        "Cold room room/temp is 9.53 °C, above 8 °C, since 07-13 10:05.",
    ),
    "below": (
        sentences.limit(ROOM_LABEL, 1.0, 2.0, "Cel", AT),
        "冷藏庫 room/temp 1 °C，低於下限 2 °C，自 07-13 10:05 起。",
        "Cold room room/temp is 1 °C, below 2 °C, since 07-13 10:05.",
    ),
    "score": (
        sentences.score(ROOM_LABEL, 0.9971, 0.99, AT),
        "冷藏庫 room/temp 的用量型態異常：異常分數 0.997，高於 0.990，自 07-13 10:05 起。",
        "Cold room room/temp is unlike its past: anomaly score 0.997, above 0.990, since 07-13 10:05.",
    ),
    "silence": (
        sentences.silence(ROOM_LABEL, 95 * MINUTE_MS, AT, AT),
        "冷藏庫 room/temp 已 1 小時 35 分鐘沒有資料，最後一筆在 07-13 10:05。",
        "Cold room room/temp has been silent for 1 h 35 min; last heard 07-13 10:05.",
    ),
    "never heard": (
        sentences.silence(ROOM_LABEL, 1500 * MINUTE_MS, None, AT),
        "冷藏庫 room/temp 從未收到資料，自 07-13 10:05 起已 1 天 1 小時。",
        "Cold room room/temp has never been heard, for 1 d 1 h since 07-13 10:05.",
    ),
    "demand": (
        sentences.demand(712.4, 700.0, 118.2, 6.0, 4.2, 31.0, 8_912.3),
        f"{HEADS_ZH}請立即卸載 31 kW；否則本月超約附加費約增加 NT$8,912。",
        f"{HEADS_EN} Shed 31 kW now, or this month's charge for excess grows by about NT$8,912.",
    ),
    "demand without a tariff": (
        sentences.demand(712.4, 700.0, 118.2, 6.0, 4.2, 31.0, float("nan")),
        f"{HEADS_ZH}請立即卸載 31 kW。",
        f"{HEADS_EN} Shed 31 kW now.",
    ),
    "over": (
        sentences.over(70 * MINUTE_MS, AT),
        "已於 07-13 10:05 解除，歷時 1 小時 10 分鐘。",
        "Over since 07-13 10:05, after 1 h 10 min.",
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_sentence_reads(name: str) -> None:
    said, zh, en = GOLDEN[name]
    assert said == Words(zh, en)


def test_what_the_rule_says_to_do_comes_first() -> None:
    said = sentences.advice("silence", Words("請通知廠務。", "Call facilities."))
    assert said.zh.startswith("請通知廠務。先查電表")
    assert said.en.startswith("Call facilities. First check power")
    assert sentences.advice("silence", Words()).en.startswith("First check power")


def test_the_messages_of_an_episode_read_one_after_the_other() -> None:
    rule = warm(title=Words("庫溫過高", "Too warm"), remind_ms=15 * MINUTE_MS)
    run = Run(watch_of(rule)).read((ROOM, 0, 9.0), (ROOM, 5, 9.4)).tick(21).read((ROOM, 30, 5.0), (ROOM, 41, 5.0))
    said = "庫溫過高：冷藏庫 room/temp 9.4 °C，高於上限 8 °C，自 07-13 10:00 起。"
    assert [notice.episode.said.zh for notice in run.notices] == [
        said,
        f"尚未解除，已持續 16 分鐘。最嚴重 9.4 °C。{said}",
        f"已於 07-13 10:30 解除，歷時 25 分鐘。最嚴重 9.4 °C。{said}",
    ]
    assert [notice.episode.said.en for notice in run.notices][2] == (
        "Over since 07-13 10:30, after 25 min. Worst: 9.4 °C. "
        "Too warm: Cold room room/temp is 9.4 °C, above 8 °C, since 07-13 10:00."
    )


def test_demand_says_how_much_to_shed_until_when() -> None:
    run = Run(watch_of(contract(), imports=("site/feed",)))
    run.read(*((FEED, float(minute), 480.0) for minute in range(-10, 6)))
    assert run.notices[0].episode.said.en == (
        "Demand of this quarter-hour heads for 480 kW, past the contract of 400 kW: 40 kWh used, 10 min left, "
        "breach in about 8 min. Shed 120 kW now, or this month's charge for excess grows by about NT$33,380."
    )
