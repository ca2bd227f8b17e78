"""The rows of `rules:` as written; the numbers of a rule stand beside its other keys."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ConfigDict, Field

from streams.catalog.source import Row
from streams.catalog.values import Duration, Name, TitleRow, Wait
from streams.domain.alerts import Severity

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")


def _listed(value: Any) -> Any:  # noqa: ANN401
    return [value] if isinstance(value, str) else value


def _weekdays(value: Any) -> frozenset[int]:  # noqa: ANN401
    """Days as `mon-fri`, `sat`, or a list of such; a range may run over Sunday."""
    found: set[int] = set()
    for word in _listed(value) if isinstance(value, str | list) else [None]:
        ends = word.split("-") if isinstance(word, str) else []
        if not 1 <= len(ends) <= 2 or not set(ends) <= set(WEEKDAYS):
            raise ValueError("expected days such as mon-fri, or a list of " + ", ".join(WEEKDAYS))
        first, last = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
        found |= {day % 7 for day in range(first, last + 1 if last >= first else last + 8)}
    return frozenset(found)


def _minute(value: object) -> int:
    match = CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("expected a local time such as 07:30")
    return 1440 if match[1] is None else int(match[1]) * 60 + int(match[2])


class ScheduleRow(Row):
    """When a rule holds."""

    days: Annotated[frozenset[int], BeforeValidator(_weekdays)] = frozenset(range(7))
    from_: Annotated[int, BeforeValidator(_minute)] = Field(default=0, alias="from")
    to: Annotated[int, BeforeValidator(_minute)] = 1440
    off_peak_days: bool | None = None


class RuleRow(Row):
    """One rule; keys of no field are its numbers, which its kind knows."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    name: Name
    kind: str
    points: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    roles: dict[str, str] = Field(default_factory=dict)
    for_: Wait | None = Field(default=None, alias="for")
    clear_for: Duration = 600_000
    schedule: ScheduleRow | None = None
    severity: Severity = Severity.WARNING
    title: TitleRow = TitleRow()
    do: TitleRow = TitleRow()
    remind: Duration | None = None
    escalate: Duration | None = None

    @property
    def numbers(self) -> dict[str, Any]:
        """What the file gives beside the fields, checked by nobody yet."""
        return dict(self.model_extra or {})


class RulesFile(Row):
    """A file of rules that are not in a site's file."""

    rules: tuple[RuleRow, ...]


def is_number(value: object) -> bool:
    """Whether a value of the file is a number."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
