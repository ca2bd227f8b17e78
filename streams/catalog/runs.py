"""Runs: a site under another name, so that a replayed slice of its archive stands apart from what is live."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from streams.domain.kpi import Derived
from streams.domain.site import Site

MARK: Final = "@"
"""Stands between a site's name and that of a run; no site's own name holds it."""

RUN: Final = re.compile(r"[A-Za-z0-9_.-]{1,60}")
"""What a run may be called."""


def is_run(name: str) -> bool:
    """Whether a name is that of a run."""
    return MARK in name


def site_of(name: str) -> str:
    """The site that a run replays."""
    return name.partition(MARK)[0]


def renamed(site: Site, run: str) -> Site:
    """The site as `site@run`, its points as `site@run/point`."""
    before, after = f"{site.name}/", f"{site.name}{MARK}{run}/"

    def name(point: str) -> str:
        return after + point.removeprefix(before)

    return replace(
        site,
        name=f"{site.name}{MARK}{run}",
        points=tuple(
            replace(
                point,
                name=name(point.name),
                formula=tuple((coefficient, name(term)) for coefficient, term in point.formula),
                parent=name(point.parent) if point.parent else None,
            )
            for point in site.points
        ),
        import_points=tuple(map(name, site.import_points)),
        reactive_points=tuple(map(name, site.reactive_points)),
        emission_sources=tuple(
            replace(
                source,
                point=name(source.point),
                green_point=name(source.green_point) if source.green_point else None,
            )
            for source in site.emission_sources
        ),
        rules=tuple(
            replace(
                rule,
                points=tuple(map(name, rule.points)),
                roles={role: name(point) for role, point in rule.roles.items()},
            )
            for rule in site.rules
        ),
        kpis=tuple(
            replace(
                kpi,
                points=tuple((role, name(point)) for role, point in kpi.points),
                derived=tuple((role, _derived(each, name)) for role, each in kpi.derived),
            )
            for kpi in site.kpis
        ),
        measures=tuple(
            replace(
                measure,
                energy=tuple(map(name, measure.energy)),
                fuel=tuple(map(name, measure.fuel)),
                material=tuple(map(name, measure.material)),
                output=tuple(map(name, measure.output)),
                condition=replace(measure.condition, point=name(measure.condition.point))
                if measure.condition
                else None,
                derived=tuple((role, _derived(each, name)) for role, each in measure.derived),
            )
            for measure in site.measures
        ),
    )


def _derived(each: Derived, name: Callable[[str], str]) -> Derived:
    """A tally of the run's own point."""
    return replace(each, name=name(each.name), source=name(each.source))
