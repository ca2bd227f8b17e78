"""The file `inlets.yaml`: which MQTT topics are listened to, and what their payloads mean (docs/bridge.md).

A level of a topic may be a name in braces, which stands for any word there and can be used in `site` and `point`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from streams.catalog.source import Row, read

NAME: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
SPARKPLUG: Final = "spBv1.0"
SPARKPLUG_NAMES: Final = frozenset({"group", "node", "device"})
OWN_KEYS: Final = {
    "kilowatch": frozenset[str](),
    "value": frozenset({"point", "unit"}),
    "json": frozenset({"readings", "time", "time_format", "time_zone"}),
    "sparkplug": frozenset({"point", "metrics", "skip"}),
}
"""The keys that only some forms have."""

Steps = str | Annotated[tuple[str, ...], Field(min_length=1)]
"""A place in a JSON document: `ENERGY.Total`, `channels.0.kwh`, or a list of keys where a key holds a dot."""


def names_in(template: str) -> set[str]:
    """The names that stand in braces."""
    return set(NAME.findall(template))


def braces_are_names(template: str) -> str:
    """Refuse braces around anything else."""
    if set("{}") & set(NAME.sub("", template)):
        raise ValueError("expected names of lower-case letters in braces, such as {gateway}")
    return template


class JsonReading(Row):
    """One reading of a JSON document: the point, where its value stands, and the unit sent."""

    point: str
    value: Steps
    unit: str | None = None
    optional: bool = False

    _braces = field_validator("point")(braces_are_names)

    @property
    def steps(self) -> tuple[str, ...]:
        """The keys that lead to the value."""
        return steps_of(self.value)


class TopicRule(Row):
    """What the messages of one topic filter mean."""

    topic: str
    site: str
    form: Literal["kilowatch", "value", "json", "sparkplug"] = "kilowatch"
    point: str | None = None
    unit: str | None = None
    readings: tuple[JsonReading, ...] = ()
    time: Steps | None = None
    time_format: str | None = None
    time_zone: str | None = None
    metrics: dict[str, str] = Field(default_factory=dict)
    skip: tuple[str, ...] = ()

    _braces = field_validator("site", "point")(lambda text: text and braces_are_names(text))

    @field_validator("topic")
    @classmethod
    def _is_filter(cls, topic: str) -> str:
        levels = topic.split("/")
        for place, level in enumerate(levels):
            whole = level in ("+", "") or NAME.fullmatch(level) or (level == "#" and place == len(levels) - 1)
            if not whole and set("+#{}\0") & set(level):
                raise ValueError("expected a topic whose levels are words, {names}, + or a # at the end")
        names = NAME.findall(topic)
        if not topic or len(names) > len(set(names)):
            raise ValueError("expected a topic in which each name stands once")
        return topic

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        try:
            return name and ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("expected a time zone such as Asia/Taipei") from error

    @model_validator(mode="after")
    def _fits_its_form(self) -> TopicRule:
        foreign = {key for keys in OWN_KEYS.values() for key in keys} - OWN_KEYS[self.form]
        for key in sorted(foreign & self.model_fields_set):
            raise ValueError(f"expected no {key!r} with form {self.form}")
        if self.form in ("value", "sparkplug") and not self.point:
            raise ValueError(f"expected a 'point' with form {self.form}")
        if self.form == "json" and not self.readings:
            raise ValueError("expected 'readings' with form json")
        if self.time_format is not None and (self.time is None or not self._knows_zone):
            raise ValueError("expected 'time' and a 'time_zone' (or %z) beside 'time_format'")
        sparkplug_topic = self.topic.startswith(f"{SPARKPLUG}/") and self.topic.endswith("#")
        if (self.form == "sparkplug") != self.topic.startswith(f"{SPARKPLUG}/") or (
            self.form == "sparkplug" and not sparkplug_topic
        ):
            raise ValueError(f"expected a topic such as {SPARKPLUG}/{{group}}/# with form sparkplug, and only with it")
        self._names_are_known()
        return self

    @property
    def _knows_zone(self) -> bool:
        return self.time_zone is not None or "%z" in (self.time_format or "")

    def _names_are_known(self) -> None:
        words = names_in(self.topic) | (SPARKPLUG_NAMES if self.form == "sparkplug" else set())
        points = [self.point or "", *(reading.point for reading in self.readings)]
        _refuse_unknown("site", [self.site], words)
        _refuse_unknown("point", points, words | {"site"} | ({"metric"} if self.form == "sparkplug" else set()))

    @property
    def filter(self) -> str:
        """The topic filter as a broker knows it."""
        return NAME.sub("+", self.topic)


class Inlets(Row):
    """The whole file. Of several rules that a topic fits, the first counts."""

    topics: Annotated[tuple[TopicRule, ...], Field(min_length=1)]


def _refuse_unknown(key: str, templates: list[str], known: set[str]) -> None:
    for name in sorted(set().union(*map(names_in, templates)) - known):
        expected = ", ".join(f"{{{each}}}" for each in sorted(known)) or "none, for the topic has none"
        raise ValueError(f"expected in {key!r} only names of the topic: {expected}; got {{{name}}}")


def steps_of(place: Steps) -> tuple[str, ...]:
    """The keys of a place in a document."""
    return tuple(place.split(".")) if isinstance(place, str) else place


def read_inlets(path: Path) -> Inlets:
    """Read the file; CatalogError carries every finding with its line."""
    return read(path, Inlets)
