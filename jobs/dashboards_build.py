"""`kilowatch dashboards build`: the generated files from their builders."""

from __future__ import annotations

from dashboards.place import GENERATED
from jobs.extras import part
from jobs.say import say
from streams.domain.findings import KilowatchError

EPILOG = "Example: kilowatch dashboards build && git diff --stat dashboards/generated"


class BuildPlaceError(KilowatchError):
    """Dashboards are generated into a checkout alone."""


def build() -> None:
    """Write dashboards/generated and Grafana's alert rules anew from their builders; a second run changes nothing."""
    generate = part("dashboards.generate")
    if not generate.is_checkout():
        raise BuildPlaceError(f"{GENERATED}: expected a checkout of Kilowatch; found an installed package")
    changed, removed = generate.write()
    say.print(f"{GENERATED}: {len(generate.files())} files, {changed} written, {removed} removed", soft_wrap=True)
