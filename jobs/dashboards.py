"""`kilowatch dashboards`: pictures of them."""

from __future__ import annotations

import typer

from jobs.page.shot import SHOT_EPILOG, shot

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The dashboards: pictures of them.",
)
app.callback()(lambda: None)
app.command("shot", epilog=SHOT_EPILOG)(shot)
