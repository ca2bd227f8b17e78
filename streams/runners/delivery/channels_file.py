"""The rows of a channels file (docs/alerts.md), as written. A secret stands in none: the file names where it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag, model_validator

from streams.catalog.source import Row
from streams.domain.alerts import NoticeKind, Severity

Language = Literal["zh", "en", "both"]
OWN_KEYS: Final = {
    "webhook": frozenset({"url", "secret", "allow_private"}),
    "apprise": frozenset({"url", "allow_private", "language"}),
    "grafana": frozenset({"url", "token", "allow_private", "language"}),
}
"""The keys that a kind of channel has, beside its name."""


def _spelt(pattern: str, expected: str) -> AfterValidator:
    """Takes a word that fits a pattern; `expected` says what that is."""

    def fits(word: str) -> str:
        if re.fullmatch(pattern, word) is None:
            raise ValueError(f"expected {expected}")
        return word

    return AfterValidator(fits)


def _some(value: Any) -> Any:  # noqa: ANN401 - whatever the file says
    """Refuse an empty list, which might mean none as well as all."""
    if value == []:
        raise ValueError("expected at least one")
    return value


class SecretRow(Row):
    """Where a secret is: in a variable of the environment, or in the first line of a file."""

    env: Annotated[str, _spelt(r"[A-Za-z_][A-Za-z0-9_]*", "a variable such as KILOWATCH_HOOK_SECRET")] | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one_place(self) -> SecretRow:
        if (self.env is None) == (self.file is None):
            raise ValueError("expected env or file, one of the two")
        return self

    @property
    def place(self) -> str:
        """How messages name it."""
        return f"variable {self.env}" if self.env is not None else f"file {self.file}"


def _listed(value: Any) -> Any:  # noqa: ANN401 - whatever the file says
    return _some(value) if isinstance(value, list) else [value]


def _form(value: Any) -> str:  # noqa: ANN401 - whatever the file says
    return "text" if isinstance(value, str) else "secret"


Url = Annotated[Annotated[str, Tag("text")] | Annotated[SecretRow, Tag("secret")], Discriminator(_form)]


class ChannelRow(Row):
    """One way to people or systems."""

    name: Annotated[str, _spelt("[a-z0-9][a-z0-9_-]*", "lower-case letters, digits, _ and -")]
    kind: Literal["webhook", "apprise", "grafana"]
    url: Url
    secret: Annotated[tuple[SecretRow, ...], BeforeValidator(_listed)] = ()
    token: SecretRow | None = None
    allow_private: bool = False
    language: Language = "both"


class RouteRow(Row):
    """Which messages go where; what is left out makes no difference. Sites and rules may hold `*`."""

    channels: Annotated[tuple[str, ...], BeforeValidator(_some)]
    escalated: Annotated[tuple[str, ...], BeforeValidator(_some)] = ()
    severities: Annotated[tuple[Severity, ...], BeforeValidator(_some)] = ()
    kinds: Annotated[tuple[NoticeKind, ...], BeforeValidator(_some)] = ()
    sites: Annotated[tuple[str, ...], BeforeValidator(_some)] = ()
    rules: Annotated[tuple[str, ...], BeforeValidator(_some)] = ()


class ChannelsFile(Row):
    """A whole file."""

    channels: tuple[ChannelRow, ...]
    routes: tuple[RouteRow, ...]
