"""Sentences about what rules see, in Traditional Chinese as used in Taiwan and in English."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import isnan

from streams.catalog.rule_kinds import DEMAND, MODEL_SCORE, SCORE, SILENCE, THRESHOLD
from streams.domain.alerts import Words

SHOWN = {"Cel": "°C", "degF": "°F", "1": "", "%": "%", "pcs": "pcs", "m3": "m³", "m3/h": "m³/h"}

SILENT = Words()

CHECKS: Mapping[str, Words] = {
    THRESHOLD: Words(
        "先看現場儀表是否也是這個數值，再查最近有無開門、換班或改設定。",
        "First compare with the instrument on the spot, then look for an open door, a shift or a setting changed.",
    ),
    SCORE: Words(
        "先與平日同時段的曲線比對，再問現場有無停機、趕工或改設定。",
        "First compare with the same hours of other days, then ask for a stop, a rush or a setting changed.",
    ),
    MODEL_SCORE: Words(
        "先比對同樣狀態、溫度與產量下平日的用電，再查機台保養、濾網、洩漏與設定。",
        "First compare with its power at the same state, temperature and output, then look at service, filters, leaks "
        "and settings.",
    ),
    SILENCE: Words(
        "先查電表與閘道器的電源、網路與訊號，再查現場設備是否停電。",
        "First check power, network and signal of meter and gateway, then whether the equipment has power.",
    ),
    DEMAND: Words(
        "先停可延後的大負載（壓縮機、充電、加熱），本時段結束後再依序復歸。",
        "First stop large loads that can wait (compressors, chargers, heating); restart them in turn afterwards.",
    ),
}
"""What to check first, by kind; detectors bring their own."""


def advice(kind: str, own: Words) -> Words:
    """What the rule says to do, then what to check first, which a detector says itself."""
    check = CHECKS.get(kind, Words())
    return Words("".join(filter(None, (own.zh, check.zh))), " ".join(filter(None, (own.en, check.en))))


def titled(title: Words, said: Words) -> Words:
    """A sentence under the rule's title, if it has one."""
    zh = f"{title.zh}：{said.zh}" if title.zh and said.zh else title.zh or said.zh
    en = f"{title.en}: {said.en}" if title.en and said.en else title.en or said.en
    return Words(zh, en)


def joined(*said: Words) -> Words:
    """Sentences one behind the other."""
    return Words("".join(each.zh for each in said), " ".join(each.en for each in said if each.en))


def amount(value: float, unit: str) -> str:
    """A value with its unit, three significant digits or all before the point."""
    if isnan(value):
        return "–"
    shown = SHOWN.get(unit, unit)
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text} {shown}".rstrip() if shown != "%" else f"{text}%"


def span(milliseconds: int) -> Words:
    """How long something lasts, in the two largest units."""
    minutes = max(0, round(milliseconds / 60_000))
    parts = [(minutes // 1440, "天", "d"), (minutes // 60 % 24, "小時", "h"), (minutes % 60, "分鐘", "min")]
    shown = [part for part in parts if part[0]][:2] or [parts[-1]]
    return Words(" ".join(f"{n} {zh}" for n, zh, _ in shown), " ".join(f"{n} {en}" for n, _, en in shown))


def clock(local: datetime) -> str:
    """A local time, short."""
    return f"{local:%m-%d %H:%M}"


def limit(label: Words, value: float, beyond: float, unit: str, since: datetime) -> Words:
    """A value beyond a limit."""
    zh, en = ("高於上限", "above") if value > beyond else ("低於下限", "below")
    shown, most = amount(value, unit), amount(beyond, unit)
    return Words(
        f"{label.zh} {shown}，{zh} {most}，自 {clock(since)} 起。",
        f"{label.en} is {shown}, {en} {most}, since {clock(since)}.",
    )


def score(label: Words, value: float, beyond: float, since: datetime) -> Words:
    """An anomaly score above its limit."""
    return Words(
        f"{label.zh} 的用量型態異常：異常分數 {value:.3f}，高於 {beyond:.3f}，自 {clock(since)} 起。",
        f"{label.en} is unlike its past: anomaly score {value:.3f}, above {beyond:.3f}, since {clock(since)}.",
    )


def model_score(label: Words, value: float, beyond: float, since: datetime) -> Words:
    """A score of an asset's model above its limit."""
    return Words(
        f"{label.zh} 的用電與其狀態、溫度及產量不符：模型分數 {value:.3f}，高於 {beyond:.3f}，自 {clock(since)} 起。",
        f"{label.en} is unlike what its state, temperature and output explain: model score {value:.3f}, above "
        f"{beyond:.3f}, since {clock(since)}.",
    )


def silence(label: Words, lasted_ms: int, heard: datetime | None, since: datetime) -> Words:
    """A point that is not heard."""
    lasted = span(lasted_ms)
    if heard is None:
        return Words(
            f"{label.zh} 從未收到資料，自 {clock(since)} 起已 {lasted.zh}。",
            f"{label.en} has never been heard, for {lasted.en} since {clock(since)}.",
        )
    return Words(
        f"{label.zh} 已 {lasted.zh}沒有資料，最後一筆在 {clock(heard)}。",
        f"{label.en} has been silent for {lasted.en}; last heard {clock(heard)}.",
    )


def demand(
    projected_kw: float,
    limit_kw: float,
    used_kwh: float,
    left_min: float,
    breach_min: float,
    shed_kw: float,
    cost_ntd: float,
) -> Words:
    """Demand about to pass the contract: what is to be shed, and what it costs otherwise (NaN where unknown)."""
    kw, most, shed = (amount(each, "kW") for each in (projected_kw, limit_kw, shed_kw))
    zh, en = "", ""
    if not isnan(cost_ntd):
        zh = f"；否則本月超約附加費約增加 NT${cost_ntd:,.0f}"
        en = f", or this month's charge for excess grows by about NT${cost_ntd:,.0f}"
    return Words(
        f"本時段需量預計達 {kw}，將超過契約容量 {most}：已用 {amount(used_kwh, 'kWh')}，剩 {left_min:.0f} 分鐘，"
        f"照此約 {breach_min:.0f} 分鐘後超約。請立即卸載 {shed}{zh}。",
        f"Demand of this quarter-hour heads for {kw}, past the contract of {most}: {amount(used_kwh, 'kWh')} used, "
        f"{left_min:.0f} min left, breach in about {breach_min:.0f} min. Shed {shed} now{en}.",
    )


def worst(value: float, unit: str) -> Words:
    """The worst of an episode."""
    if isnan(value):
        return Words()
    shown = amount(value, unit)
    return Words(f"最嚴重 {shown}。", f"Worst: {shown}.")


def lasts(milliseconds: int) -> Words:
    """An episode that is still open."""
    lasted = span(milliseconds)
    return Words(f"尚未解除，已持續 {lasted.zh}。", f"Not over yet, for {lasted.en}.")


def over(milliseconds: int, ended: datetime) -> Words:
    """An episode that is over."""
    lasted = span(milliseconds)
    return Words(f"已於 {clock(ended)} 解除，歷時 {lasted.zh}。", f"Over since {clock(ended)}, after {lasted.en}.")


GONE = Words("規則已移除或變更，本事件結案。", "Closed because the rule was removed or changed.")
"""Why an episode closes whose rule is no longer what opened it."""
