"""Channels and routes: a YAML file to a `Channels`, or everything that is wrong with the file at once."""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import orjson

from streams.catalog.lines import Mapping as Lines
from streams.catalog.lines import Rows, Source, parse
from streams.catalog.source import in_order, nearest, salvage
from streams.domain.alerts import NoticeKind, Severity
from streams.domain.findings import CatalogError, Finding, IngestError
from streams.domain.findings import Severity as Weight
from streams.ingest.kafka_settings import read_secret
from streams.runners.delivery.addresses import PRIVATE, looked_up
from streams.runners.delivery.channels_file import OWN_KEYS, ChannelRow, ChannelsFile, Language, RouteRow, SecretRow
from streams.runners.delivery.signing import secret_bytes
from streams.stores.dispatch import Message

PLACES: Final = "{env: NAME} or {file: PATH}"
WEB_URL: Final = "an address such as https://example.com/hooks/kilowatch"
HIDDEN: Final = "_"
"""Stands for the place of a secret that was in the file itself."""
LEAST_HIDDEN: Final = 8
"""Shorter parts of an address are words that a log may hold."""
SPACE: Final = re.compile(r"[\s\\]")
PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to people or systems; `sha256` names its configuration. What is secret is in no `repr`."""

    name: str
    kind: str
    url: str = field(repr=False)
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    token: str = field(default="", repr=False)
    allow_private: bool = False
    language: Language = "both"
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Channels:
    """Channels by name, and which messages go to which; `hidden` is what no log may hold.

    `warnings` are what is odd about the file and stops nobody.
    """

    by_name: Mapping[str, Channel]
    routes: tuple[RouteRow, ...]
    hidden: frozenset[str] = field(repr=False)
    warnings: tuple[Finding, ...] = ()

    def of(self, message: Message, before: Collection[str]) -> list[str]:
        """The channels of a message.

        The end of an episode goes to those who were told of its escalation, too: `before` are the channels that had
        messages of the episode.
        """
        found = list[str]()
        for route in self.routes:
            if _takes(route, message):
                more = route.escalated if message.kind is NoticeKind.ESCALATED else ()
                if message.kind is NoticeKind.CLOSED:
                    more = tuple(name for name in route.escalated if name in before)
                found += [*route.channels, *more]
        return list(dict.fromkeys(found))


def _takes(route: RouteRow, message: Message) -> bool:
    severity, rule = Severity(message.data["severity"]), str(message.data["rule"])
    return route_takes(route, message.kind, severity, message.site, rule)


def route_takes(route: RouteRow, kind: NoticeKind, severity: Severity, site: str, rule: str) -> bool:
    """Whether a route takes messages of a kind about a rule of a site."""
    return (
        (not route.severities or severity in route.severities)
        and (not route.kinds or kind in route.kinds)
        and (not route.sites or any(fnmatchcase(site, each) for each in route.sites))
        and (not route.rules or any(fnmatchcase(rule, each) for each in route.rules))
    )


def read_channels(path: Path, environment: Mapping[str, str] = os.environ) -> Channels:
    """Read a channels file and the secrets that it names; CatalogError carries every error."""
    findings, channels = examined(path, environment)
    errors = [finding for finding in findings if finding.severity is Weight.ERROR]
    if errors or channels is None:
        raise CatalogError(errors)
    return replace(channels, warnings=tuple(findings))


def examined(path: Path, environment: Mapping[str, str] = os.environ) -> tuple[list[Finding], Channels | None]:
    """Everything that is wrong with a channels file and its secrets, and what can be read of it all the same."""
    source = parse(path)
    if source.value is None:
        return in_order(source.findings), None
    names = {str(row["name"]) for row in _rows(source, "channels") if "name" in row}
    _hide(source)
    file = salvage(source, ChannelsFile, {"channels": [], "routes": []})
    if file is None:
        return in_order(source.findings), None
    reading = _Reading(source, environment)
    made = dict[str, Channel]()
    for row in file.channels:
        if row.name in made:
            source.add("duplicate_name", f"channel {row.name!r}: name used twice", row.line("name"))
        made[row.name] = reading.channel(row)
    for key, rows in (("channels", file.channels), ("routes", file.routes)):
        if not rows and next(_rows(source, key), None) is None and file.wrote(key):
            source.add("empty", f"{key}: none", file.line(key), expected="at least one", found="none")
    for number, route in enumerate(file.routes):
        for key in ("channels", "escalated"):
            for name in getattr(route, key):
                if name not in names:
                    hint = nearest(name, names)
                    source.add(
                        "unknown_channel", f"routes[{number}].{key}: unknown channel", route.line(key),
                        expected="a channel of this file", found=name, hint=hint,
                    )  # fmt: skip
    if not any(finding.severity is Weight.ERROR for finding in source.findings):
        _tell_unused(source, file)
    return in_order(source.findings), Channels(made, file.routes, frozenset(reading.hidden))


def _tell_unused(source: Source, file: ChannelsFile) -> None:
    led_to = {name for route in file.routes for name in (*route.channels, *route.escalated)}
    for row in file.channels:
        if row.name not in led_to:
            sentence, expected = f"channels[{row.name}]: no route leads to it", "a route with this channel"
            line, weight = row.line("name"), Weight.WARNING
            source.add("unused_channel", sentence, line, expected=expected, found="none", severity=weight)


def _rows(source: Source, key: str) -> Iterator[Lines]:
    rows = source.value.get(key) if isinstance(source.value, Lines) else None
    yield from (row for row in rows if isinstance(row, Lines)) if isinstance(rows, Rows) else ()


def _hide(source: Source) -> None:
    """Take secrets out that somebody has written into the file, before a message can repeat them."""
    for row in _rows(source, "channels"):
        for key in ("secret", "token", *(("url",) if row.get("kind") == "apprise" else ())):
            values = row[key] if isinstance(row.get(key), Rows) else [row.get(key)]
            if any(isinstance(value, str | int) for value in values):
                source.add(
                    "secret_in_file", f"channels[{row.get('name')}].{key}: a secret stands in no file of this kind",
                    row.lines[key], expected=PLACES, found="the secret itself",
                )  # fmt: skip
                row[key] = Lines(env=HIDDEN)
                row[key].lines, row[key].line = {"env": row.lines[key]}, row.lines[key]


@dataclass(slots=True)
class _Reading:
    """A file that is being read: its findings so far, and its secrets."""

    source: Source
    environment: Mapping[str, str]
    hidden: set[str] = field(default_factory=set)

    def channel(self, row: ChannelRow) -> Channel:
        """A channel of the file; what is wrong with it becomes findings."""
        for key in sorted({"url", "secret", "token", "allow_private", "language"} - OWN_KEYS[row.kind]):
            if row.wrote(key):
                sentence = f"channels[{row.name}].{key}: not a key of kind {row.kind}"
                expected = "one of " + ", ".join(sorted(OWN_KEYS[row.kind]))
                self.source.add("unknown_key", sentence, row.line(key), expected=expected, found=key)
        for key in sorted({"secret", "token"} & OWN_KEYS[row.kind]):
            if not row.wrote(key):
                sentence = f"channels[{row.name}].{key}: missing key"
                self.source.add("missing_key", sentence, row.line(), expected=PLACES, found="nothing")
        url = row.url if isinstance(row.url, str) else self._secret(row, "url", row.url) or ""
        secrets = [(text, each) for each in row.secret if (text := self._secret(row, "secret", each))]
        token = (row.token and self._secret(row, "token", row.token)) or ""
        if url:
            (self._check_apprise if row.kind == "apprise" else self._check_url)(row, url)
        content = orjson.dumps(
            [row.kind, *([] if row.kind == "apprise" else [url, *(text for text, _ in secrets), token])]
        )
        return Channel(
            name=row.name,
            kind=row.kind,
            url=url.rstrip("/") if row.kind == "grafana" else url,
            keys=tuple(self._keys(row, secrets)),
            token=token,
            allow_private=row.allow_private,
            language=row.language,
            sha256=hashlib.sha256(content).hexdigest(),
        )

    def _secret(self, row: ChannelRow, key: str, where: SecretRow) -> str | None:
        """What is at the place of a secret; a finding where nothing is."""
        if where.env == HIDDEN:  # told already
            return None
        problem = None
        if where.env is not None:
            text = self.environment.get(where.env) or None
            problem = None if text else "nothing"
        else:
            path = self.source.path.parent / (where.file or "")
            try:
                text = read_secret(path, "a secret")
            except IngestError as error:
                text, problem = None, str(error).rpartition("found: ")[2].rpartition("; found ")[2]
        if problem:
            sentence, expected = f"channels[{row.name}].{key}: missing secret", f"a secret in {where.place}"
            self.source.add("missing_secret", sentence, where.line(), expected=expected, found=problem)
        if text:
            self.hidden.add(text)
        return text

    def _keys(self, row: ChannelRow, secrets: list[tuple[str, SecretRow]]) -> Iterator[bytes]:
        for text, where in secrets:
            try:
                yield secret_bytes(text)
            except ValueError as error:
                sentence = f"channels[{row.name}].secret: no secret of Standard Webhooks in {where.place}"
                self.source.add("bad_secret", sentence, where.line(), expected=str(error), found="something else")

    def _check_url(self, row: ChannelRow, url: str) -> None:
        shown = url if isinstance(row.url, str) else "another thing"
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or PORTS.get(parts.scheme)
        except ValueError:
            host, port = None, None
        if not host or not port or SPACE.search(url):
            sentence = f"channels[{row.name}].url: bad value"
            self.source.add("bad_value", sentence, row.line("url"), expected=WEB_URL, found=shown)
        elif parts.username is not None or parts.password is not None:
            sentence = f"channels[{row.name}].url: a secret stands in no address"
            self.source.add("bad_value", sentence, row.line("url"), expected=WEB_URL, found="a user before the host")
        else:
            self._check_host(row, host, port)

    def _check_host(self, row: ChannelRow, host: str, port: int) -> None:
        found = looked_up(host, port, PRIVATE if row.allow_private else ())
        line, sentence = row.line("url"), f"channels[{row.name}].url"
        if found and all(found.values()):
            shown = ", ".join(f"{address} ({kind})" for address, kind in found.items())
            expected = "a public or private one" if row.allow_private else "a public one, or allow_private: true"
            self.source.add("refused_address", f"{sentence}: refused address", line, expected=expected, found=shown)
        elif not found and row.kind != "apprise":  # of which a host may be a secret
            expected, weight = "a name that resolves to an address", Weight.WARNING
            self.source.add(
                "no_address", f"{sentence}: no address now", line, expected=expected, found=host, severity=weight
            )

    def _check_apprise(self, row: ChannelRow, url: str) -> None:
        import apprise  # noqa: PLC0415 - large, and few need it

        self.hidden.update(part for part in re.split(r"[:/@?&=]+", url) if len(part) >= LEAST_HIDDEN)
        with warnings.catch_warnings():  # it imports its services now, and with them what Python will drop
            warnings.simplefilter("ignore", DeprecationWarning)
            service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
        if service is None:
            sentence, expected = f"channels[{row.name}].url: bad value", "an address that apprise knows"
            self.source.add("bad_value", sentence, row.line("url"), expected=expected, found="another thing")
        elif service.host:
            self._check_host(row, str(service.host), int(service.port or 0))
