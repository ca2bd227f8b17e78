"""`kilowatch migrate`: the schema of a store, brought up to date."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from jobs.opening import is_server, opened
from streams.ingest.kafka_settings import read_secret
from streams.stores.postgres import PostgresStore
from streams.stores.schema import ROLES, migrate

EPILOG = (
    "Examples: kilowatch migrate --store postgresql://owner@127.0.0.1/kilowatch · "
    "KILOWATCH_GRAFANA_PASSWORD=… kilowatch migrate --store …"
)


def migrate_store(
    store: Annotated[
        str,
        typer.Option("--store", metavar="URL", envvar="KILOWATCH_STORE", help="postgresql://… or duckdb:///…"),
    ],
) -> None:
    """Bring a store's tables, views, roles and policies up to date; doing it again changes nothing.

    Passwords of the roles kilowatch_writer, kilowatch_reader, kilowatch_grafana, kilowatch_sender and
    kilowatch_operator come from KILOWATCH_WRITER_PASSWORD and so on, or from the files that
    KILOWATCH_WRITER_PASSWORD_FILE and so on name.
    """
    say = Console(stderr=True, highlight=False, markup=False)
    if not is_server(store):
        with opened(store) as kept:
            say.print(f"{kept.where}: up to date", soft_wrap=True)
        return
    server = PostgresStore(store, application="kilowatch migrate")
    try:
        done = migrate(server, {role: secret for role in ROLES if (secret := _password(role))})
    finally:
        server.close()
    said = ", ".join(done.applied) or "nothing new"
    roles = "roles up to date" if done.has_roles else "roles left alone: this user may not make roles"
    if done.missing:
        roles += f", and there is no {', '.join(done.missing)}"
    say.print(f"{server.where}: {said}; {done.server}; {roles}", soft_wrap=True)


def _password(role: str) -> str | None:
    name = f"KILOWATCH_{role.upper()}_PASSWORD"
    path = os.environ.get(f"{name}_FILE")
    return os.environ.get(name) or (read_secret(Path(path), f"the password of kilowatch_{role}") if path else None)
