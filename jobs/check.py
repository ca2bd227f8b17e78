"""`kilowatch check`: a site's file, and all that is wrong with it."""

from __future__ import annotations

import sys

import typer

from jobs import options
from jobs.say import say
from streams.catalog.lines import parse
from streams.catalog.site import check_site, load_site
from streams.catalog.site_checks import names_in
from streams.domain.findings import Severity
from streams.domain.site import Band, Measure, Site

EPILOG = "Example: kilowatch check deploy/sites/cold_chain_depot.yaml"


def check(site: options.SiteFile) -> None:
    """Check a site's catalog file and say all that is wrong with it at once."""
    findings = check_site(site)
    sys.stderr.writelines(f"{finding.severity.value}: {finding}\n" for finding in findings)
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    document = parse(site).value
    counts = {key: len(names_in(document, key)) for key in ("rules", "measures")}
    said = "".join(f", {count} {key}" for key, count in counts.items() if count)
    say.print(f"{site}: {errors} errors, {len(findings) - errors} warnings{said}", soft_wrap=True)
    if not errors:
        loaded = load_site(site)
        for measure in loaded.measures:
            say.print(f"  {_told(measure, loaded)}", soft_wrap=True)
    raise typer.Exit(1 if errors else 0)


def _told(measure: Measure, site: Site) -> str:
    """One line: the day, what is compared, for what output, under which condition."""
    parts = [f"measure {measure.name} from {measure.from_day} on"]
    for key in ("energy", "fuel", "material", "output"):
        names = [name.removeprefix(f"{site.name}/") for name in getattr(measure, key)]
        parts += [f"{key} {', '.join(names)}"] if names else []
    return "; ".join(parts + ([_condition(measure.condition, site)] if measure.condition else []))


def _condition(band: Band, site: Site) -> str:
    unit = next(point.unit for point in site.points if point.name == band.point)
    limits = [f"from {band.low:g}"] if band.low is not None else []
    limits += [f"to {band.high:g}"] if band.high is not None else []
    return f"while {band.point.removeprefix(f'{site.name}/')} is {' '.join(limits)} {unit}"
