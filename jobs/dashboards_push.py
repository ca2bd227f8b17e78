"""`kilowatch dashboards push`: the generated dashboards into a Grafana by its HTTP API."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dashboards.checks.found import read
from dashboards.place import GENERATED
from dashboards.words import Language
from jobs.extras import part
from jobs.say import say
from streams.domain.findings import KilowatchError
from streams.ingest.kafka_settings import read_secret

EPILOG = (
    "Example: KILOWATCH_GRAFANA_TOKEN=… kilowatch dashboards push --url https://grafana.example.com. "
    "It needs an environment of its own: docs/dashboards.md"
)
TOKEN = "KILOWATCH_GRAFANA_TOKEN"  # noqa: S105 - the name of a variable


class Which(StrEnum):
    """Languages to push."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"


class TokenError(KilowatchError):
    """There is nothing to log in to Grafana with."""


def push(
    url: Annotated[str, typer.Option("--url", envvar="KILOWATCH_GRAFANA_URL", help="https://grafana.example.com")],
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            metavar="FILE",
            envvar=f"{TOKEN}_FILE",
            help=f"The service account's token in its first line; or {TOKEN}.",
        ),
    ] = None,
    language: Annotated[Which, typer.Option("--language", help="Which dashboards.")] = Which.BOTH,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what a person changed in Grafana.")] = False,
    ca: Annotated[Path | None, typer.Option("--ca", metavar="FILE", help="The CA of Grafana's certificate.")] = None,
    folder: Annotated[Path, typer.Option("--folder", metavar="FOLDER", help="Dashboards to push.")] = GENERATED,
) -> None:
    """Bring the dashboards to Grafana; what is as it was pushed last is replaced, what a person changed is kept.

    A second push changes nothing. Exit code 1 where a dashboard was kept, or left to the files that provision it.
    """
    token = read_secret(token_file, "Grafana's token") or os.environ.get(TOKEN)
    if not token:
        raise TokenError(f"Grafana: expected a token in {TOKEN} or --token-file; found none")
    wanted = [each for each in Language if language in (Which.BOTH, each.value)]
    boards = [board for board in read(folder) if board.uid.endswith(tuple(f"-{each}" for each in wanted))]
    pushing = part("jobs.dashboards_grafana")
    outcomes = []
    for outcome in pushing.Grafana(url, token, ca).push(boards, overwrite=overwrite):
        say.print(f"{outcome.uid}: {outcome.said}", soft_wrap=True)
        outcomes.append(outcome)
    raise typer.Exit(1 if any(outcome.is_kept for outcome in outcomes) else 0)
