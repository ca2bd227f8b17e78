"""Messages as people read them, in Chinese, in English, or in both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any, Final

from streams.runners.delivery.channels_file import Language

LANGUAGES: Final[dict[Language, tuple[str, ...]]] = {"zh": ("zh",), "en": ("en",), "both": ("zh", "en")}
KINDS: Final = {
    "zh": {"opened": "發生", "reminded": "仍未解除", "escalated": "升級通報", "closed": "已解除", "test": "測試"},
    "en": {"opened": "opened", "reminded": "still open", "escalated": "escalated", "closed": "closed", "test": "test"},
}
SEVERITIES: Final = {
    "zh": {"info": "提醒", "warning": "警告", "critical": "緊急"},
    "en": {"info": "info", "warning": "warning", "critical": "critical"},
}
FACTS: Final = {
    "zh": "開始 {opened} · 結束 {closed} · 數值 {value} · 界限 {limit} · 最嚴重 {worst}",
    "en": "since {opened} · until {closed} · value {value} · limit {limit} · worst {worst}",
}
ADVICE: Final = {"zh": "建議：", "en": "What to do: "}
NONE: Final = "–"


def title(data: dict[str, Any], kind: str, language: Language) -> str:
    """One line: severity, site, subject, and what happened."""
    words = dict.fromkeys(f"{SEVERITIES[each][data['severity']]} · {KINDS[each][kind]}" for each in LANGUAGES[language])
    return f"[{' / '.join(words)}] {data['subject'] or data['site']} · {data['rule']}"


def body(data: dict[str, Any], kind: str, language: Language, zone: tzinfo) -> str:
    """What was seen, what to do, and the numbers, with times of the site's zone."""
    return "\n\n".join(
        "\n".join(_lines(data, kind, each, zone)) for each in LANGUAGES[language]
    ) + f"\n\n{data['message_id']}"  # fmt: skip


def _lines(data: dict[str, Any], kind: str, language: str, zone: tzinfo) -> Iterator[str]:
    yield data["said"][language] or f"{data['rule']}: {KINDS[language][kind]}"
    if data["advice"][language] and kind != "closed":
        yield ADVICE[language] + data["advice"][language]
    told = {
        "opened": _local(data["opened_at"], zone),
        "closed": _local(data["closed_at"], zone),
        **{name: _number(data[name], data["unit"]) for name in ("value", "limit", "worst")},
    }
    parts = FACTS[language].split(" · ")
    yield " · ".join(part for each in parts if NONE not in (part := each.format(**told)))


def _local(moment: str | None, zone: tzinfo) -> str:
    return datetime.fromisoformat(moment).astimezone(zone).strftime("%Y-%m-%d %H:%M") if moment else NONE


def _number(number: float | None, unit: str) -> str:
    return NONE if number is None else f"{number:,.4g} {unit}".strip()
