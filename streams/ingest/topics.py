"""From a message on an MQTT topic to telemetry, by the rules of `inlets.yaml`.

What a rule cannot make a reading of goes on as a line that the pipeline quarantines, with its topic, reason and text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from streams.ingest.inlets import NAME, Inlets, TopicRule, steps_of
from streams.ingest.records import Message, one_line, unreadable
from streams.ingest.sparkplug import Metric, Request, Sparkplug
from streams.ingest.tally import Tally

NUMBER: Final = re.compile(rb"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
MISSING: Final = object()
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
PROTOCOLS_OWN: Final = ("bdSeq", "Node Control/*", "Device Control/*")
"""Sparkplug metrics that are no measurement."""
UNCERTAIN, BAD = 1, 2


@dataclass(frozen=True, slots=True)
class Taken:
    """What one MQTT message came to: a message for the log (None if it says nothing) and what to publish in answer."""

    message: Message | None
    requests: tuple[Request, ...] = ()


class Topics:
    """The rules at work; keeps the state of Sparkplug's edge nodes. For one thread."""

    def __init__(self, inlets: Inlets, tally: Tally) -> None:
        """Counts `unmapped` by topic rule and `refused` by reason into the tally."""
        self._rules = [_Rule(rule) for rule in inlets.topics]
        self.filters = list(dict.fromkeys(rule.filter for rule in inlets.topics))
        self._tally = tally
        self._sparkplug = Sparkplug()
        self._find = lru_cache(maxsize=100_000)(self._first)

    def take(self, topic: str, payload: bytes, received_ms: int, *, retained: bool = False) -> Taken:
        """Translate one message. `retained` says that the broker kept it, so that its arrival is no time of reading."""
        if not payload.strip():
            self._tally.add("refused", "empty payload")
            return Taken(None)
        found = self._find(topic)
        if found is None:
            self._tally.add("refused", "no rule for the topic")
            return Taken(Message("", f"mqtt:{topic}", unreadable(topic, "no rule for the topic", payload), received_ms))
        rule, names = found
        if rule.row.form == "sparkplug":
            return self._from_sparkplug(rule.row, topic, payload, received_ms)
        site = fill(rule.row.site, names)
        names = {**names, "site": site}
        if rule.row.form == "kilowatch":
            lines = [one_line(payload)]
        elif rule.row.form == "value":
            lines = [self._from_value(rule.row, names, topic, payload, received_ms, retained)]
        else:
            lines = list(self._from_json(rule.row, names, topic, payload, received_ms, retained))
        return Taken(Message(site, rule.gateway(topic), b"\n".join(lines), received_ms) if lines else None)

    def _first(self, topic: str) -> tuple[_Rule, dict[str, str]] | None:
        for rule in self._rules:
            match = rule.pattern.fullmatch(topic)
            if match:
                return rule, match.groupdict(default="")
        return None

    def _unmapped(self, rule: TopicRule, topic: str, reason: str, payload: bytes) -> bytes:
        self._tally.add("unmapped", rule.topic)
        return unreadable(topic, reason, payload)

    def _from_value(
        self, rule: TopicRule, names: Mapping[str, str], topic: str, payload: bytes, received_ms: int, retained: bool
    ) -> bytes:
        bare = payload.strip()
        try:
            value = orjson.Fragment(bare) if NUMBER.fullmatch(bare) else bare.decode()
        except UnicodeDecodeError:
            return self._unmapped(rule, topic, "expected a number or a word in UTF-8", payload)
        return _line(fill(rule.point or "", names), received_ms, value, rule.unit, BAD if retained else 0, retained)

    def _from_json(
        self, rule: TopicRule, names: Mapping[str, str], topic: str, payload: bytes, received_ms: int, retained: bool
    ) -> Iterable[bytes]:
        try:
            document = orjson.loads(payload)
        except orjson.JSONDecodeError:
            yield self._unmapped(rule, topic, "expected JSON", payload)
            return
        time, quality = received_ms, BAD if retained else 0
        if rule.time is not None:
            time, quality = _time_of(rule, lookup(document, steps_of(rule.time)))
        absent = []
        for reading in rule.readings:
            value = lookup(document, reading.steps)
            if value is not MISSING:
                stale = retained and rule.time is None
                yield _line(fill(reading.point, names), time, value, reading.unit, quality, stale)
            elif not reading.optional:
                absent.append(".".join(reading.steps))
        if absent:
            yield self._unmapped(rule, topic, f"expected {', '.join(absent)}", payload)

    def _from_sparkplug(self, rule: TopicRule, topic: str, payload: bytes, received_ms: int) -> Taken:
        heard = self._sparkplug.take(topic, payload, received_ms)
        names = {"group": heard.group, "node": heard.node, "device": heard.device}
        found = self._find(topic)
        names = {**(found[1] if found else {}), **names}
        names["site"] = fill(rule.site, names)
        passed_over = (*PROTOCOLS_OWN, *rule.skip)
        lines = [
            self._unmapped(rule, topic, problem.reason, b"")
            for problem in heard.problems
            if not _fits(problem.name, passed_over)
        ]
        for metric in heard.metrics:
            name = metric.name
            if _fits(name, passed_over):
                continue
            if name not in rule.metrics:
                self._tally.add("unmapped", rule.topic)
            point = fill(rule.point or "", {**names, "metric": rule.metrics.get(name, name)})
            lines.append(_metric_line(point, metric, received_ms))
        gateway = "mqtt:" + "/".join(part for part in (heard.group, heard.node) if part)
        message = Message(names["site"], gateway, b"\n".join(lines), received_ms) if lines else None
        if heard.requests:
            self._tally.add("rebirths_asked", rule.topic)
        return Taken(message, heard.requests)


class _Rule:
    """A rule with its pattern."""

    def __init__(self, row: TopicRule) -> None:
        self.row = row
        levels, parts = row.topic.split("/"), list[str]()
        named = [place for place, level in enumerate(levels) if NAME.fullmatch(level)]
        self._gateway_levels = named[0] + 1 if named else None
        for level in levels:
            name = NAME.fullmatch(level)
            parts.append(f"(?P<{name[1]}>[^/]*)" if name else "[^/]*" if level == "+" else re.escape(level))
        if levels[-1] == "#":
            pattern = "/".join(parts[:-1]) + ("(?:/.*)?" if len(levels) > 1 else ".*")
        else:
            pattern = "/".join(parts)
        self.pattern = re.compile(pattern, re.DOTALL)

    def gateway(self, topic: str) -> str:
        """Who sent it: the topic up to its first named level, so that all of one device goes together."""
        return "mqtt:" + "/".join(topic.split("/")[: self._gateway_levels])


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def fill(template: str, names: Mapping[str, str]) -> str:
    """Put the words of a topic in the place of the names in braces."""
    return NAME.sub(lambda match: names[match[1]], template) if "{" in template else template


def lookup(document: Any, steps: Iterable[str]) -> Any:  # noqa: ANN401
    """What stands at a place of a JSON document, MISSING if there is no such place."""
    for step in steps:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return MISSING
    return document


def _line(point: str, time: Any, value: Any, unit: str | None, quality: int, stale: bool) -> bytes:  # noqa: ANN401
    reading: dict[str, Any] = {"point": point, "time": time, "value": value}
    if unit is not None:
        reading["unit"] = unit
    if quality:
        reading["quality"] = quality
    if stale:
        reading["note"] = "retained by the broker: nobody knows when it was read"
    return orjson.dumps(reading)


def _metric_line(point: str, metric: Metric, received_ms: int) -> bytes:
    reading: dict[str, Any] = {
        "point": point,
        "time": received_ms if metric.time_ms is None else metric.time_ms,
        "value": metric.value,
    }
    if metric.historical:
        reading["historical"] = True
    return orjson.dumps(reading)


def _time_of(rule: TopicRule, found: Any) -> tuple[Any, int]:  # noqa: ANN401
    """A document's time as telemetry has it, and the quality that follows.

    A local time that its zone shows twice is the earlier one, and uncertain. What cannot be read is left as it is: the
    pipeline rejects it.
    """
    if found is MISSING or rule.time_format is None or not isinstance(found, str | int | float):
        return (None if found is MISSING else found), 0
    try:
        moment = datetime.strptime(str(found).strip(), rule.time_format)  # noqa: DTZ007 - it gets its zone below
    except ValueError:
        return str(found), 0
    if moment.tzinfo is not None or rule.time_zone is None:
        return _epoch_ms(moment), 0
    local = moment.replace(tzinfo=ZoneInfo(rule.time_zone))
    back = datetime.fromtimestamp(local.timestamp(), local.tzinfo)
    if back.replace(tzinfo=None) != moment:
        return f"{moment.isoformat()} (skipped in {rule.time_zone})", 0
    twice = local.utcoffset() != local.replace(fold=1).utcoffset()
    return _epoch_ms(local), UNCERTAIN if twice else 0


def _epoch_ms(moment: datetime) -> int:
    return (moment.astimezone(UTC) - EPOCH) // timedelta(milliseconds=1)
