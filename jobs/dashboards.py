"""`kilowatch dashboards`: built from their source, checked, brought to Grafana, drawn as pictures."""

from __future__ import annotations

import typer

from jobs import dashboards_build, dashboards_check, dashboards_push
from jobs.page.shot import SHOT_EPILOG, shot

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Dashboards: built from their source, checked without Grafana and on a store, pushed, drawn as pictures.",
)
app.command("build", epilog=dashboards_build.EPILOG)(dashboards_build.build)
app.command("check", epilog=dashboards_check.EPILOG)(dashboards_check.check)
app.command("push", epilog=dashboards_push.EPILOG)(dashboards_push.push)
app.command("shot", epilog=SHOT_EPILOG)(shot)
