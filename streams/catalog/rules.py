"""Rows of `rules:` that were found good, as `Rule`s."""

from __future__ import annotations

from math import isnan

from streams.catalog.rule_checks import chosen
from streams.catalog.rule_kinds import RuleKind, kinds
from streams.catalog.rule_rows import RuleRow, ScheduleRow
from streams.catalog.site_file import SiteFile
from streams.domain.alerts import Rule, Schedule, Words


def rule_of(row: RuleRow, file: SiteFile) -> Rule:
    """The rule of a row of the site's file, or of one beside it; points by their full names."""
    kind = kinds()[row.kind]
    return Rule(
        name=row.name,
        kind=row.kind,
        points=tuple(f"{file.site}/{name}" for name in chosen(row.points, file.points, kind)),
        roles={role: f"{file.site}/{name}" for role, name in row.roles.items()},
        numbers=_numbers(row, kind),
        for_ms=kind.for_ms if row.for_ is None else row.for_,
        clear_ms=row.clear_for,
        schedule=None if row.schedule is None else _schedule(row.schedule),
        severity=row.severity,
        title=Words(row.title.zh, row.title.en),
        advice=Words(row.do.zh, row.do.en),
        remind_ms=row.remind or 0,
        escalate_ms=row.escalate or 0,
    )


def _numbers(row: RuleRow, kind: RuleKind) -> dict[str, float]:
    """What is written, else the kind's default; a number that may be left out is left out."""
    given = {name: float(value) for name, value in row.numbers.items()}
    known = {
        name: float(default) for name, default in kind.numbers.items() if default is not None and not isnan(default)
    }
    return {name: given.get(name, known.get(name, 0.0)) for name in kind.numbers if name in given or name in known}


def _schedule(row: ScheduleRow) -> Schedule:
    return Schedule(row.days, row.from_, row.to, row.off_peak_days)
