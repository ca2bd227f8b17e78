"""`kilowatch check`: a site's file, and all that is wrong with it."""

from __future__ import annotations

import sys

import typer

from jobs import options
from jobs.say import say
from streams.catalog.lines import parse
from streams.catalog.site import check_site
from streams.catalog.site_checks import names_in
from streams.domain.findings import Severity

EPILOG = "Example: kilowatch check deploy/sites/cold_chain_depot.yaml"


def check(site: options.SiteFile) -> None:
    """Check a site's catalog file and say all that is wrong with it at once."""
    findings = check_site(site)
    sys.stderr.writelines(f"{finding.severity.value}: {finding}\n" for finding in findings)
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    rules = names_in(parse(site).value, "rules")
    said = f", {len(rules)} rules" if rules else ""
    say.print(f"{site}: {errors} errors, {len(findings) - errors} warnings{said}")
    raise typer.Exit(1 if errors else 0)
