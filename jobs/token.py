"""`kilowatch token`: a gateway's token for HTTP."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from streams.ingest.push import token_line

EPILOG = "Example: kilowatch token gw7 --sites wugu,depot"


def token(
    gateway: Annotated[str, typer.Argument(metavar="GATEWAY", help="The gateway's name.")],
    sites: Annotated[str, typer.Option(metavar="SITE,SITE|*", help="The sites that it may send for.")],
) -> None:
    """Make a token for a gateway that pushes over HTTP, and its line for the bridge's file of tokens.

    The token is shown this once; the file keeps its SHA-256 alone.
    """
    made = secrets.token_urlsafe(32)
    line = token_line(gateway, made, sites)
    typer.echo(f"token for the gateway:   {made}\nline for the token file: {line}")
