"""Findings: what is wrong, as data rather than as a log line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Severity(StrEnum):
    """How much a finding weighs: an error stops the start, a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a file: where, what was expected, what was found.

    `line` counts from 1; `hint` is the nearest valid name where one was misspelt.
    """

    code: str
    sentence: str
    file: Path | None = None
    line: int | None = None
    expected: str | None = None
    found: str | None = None
    hint: str | None = None
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        """Render as `file:line: sentence: expected …; found … (did you mean …?)`."""
        where = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        detail = "; ".join(
            f"{label} {text}" for label, text in (("expected", self.expected), ("found", self.found)) if text
        )
        text = ": ".join(part for part in (where, self.sentence, detail) if part)
        return f"{text} (did you mean {self.hint!r}?)" if self.hint else text


class KilowatchError(Exception):
    """Root of every error that a user can mend; its text is one clear message."""


class CatalogError(KilowatchError):
    """A catalog file cannot be used; carries every finding, not only the first."""

    def __init__(self, findings: list[Finding]) -> None:
        """Keep the findings; the message is one line for each."""
        self.findings = findings
        super().__init__("\n".join(str(finding) for finding in findings))


class IngestError(KilowatchError):
    """A source cannot be read at all (missing, truncated, wrong mapping)."""


class StoreError(KilowatchError):
    """A store cannot be opened or written (held by another process, full disk, old schema)."""


class FencedError(StoreError):
    """Another writer has moved the stored position: this one must stop."""


class StoreHeldError(StoreError):
    """Another process holds the file of a store."""


class StoreAwayError(StoreError):
    """A store's server does not answer: what was begun may be tried again when it does."""
