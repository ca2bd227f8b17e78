"""`kilowatch alerts`: who is told of what, by which channel, and what people do about it."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import polars as pl
import typer

from jobs import options
from jobs.alerts_deliver import deliver
from jobs.alerts_test import send_test
from jobs.opening import is_server, need_file, opened
from jobs.query import table
from jobs.say import say
from streams.catalog.folder import SiteFolder
from streams.catalog.source import duration_ms
from streams.domain.findings import Severity as Weight
from streams.domain.findings import StoreError, StoreHeldError
from streams.runners.control import RemoteDesk
from streams.runners.delivery.channels import examined
from streams.runners.delivery.fitting import misfits
from streams.stores.alert_desk import Answer, Desk, StoreDesk, moment_of
from streams.stores.duckdb import path_of

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Alerts: what is open, who looks after it, what is silent, what was delivered or given up; and the sender for "
    "a database.",
    epilog="On the file of a running `kilowatch run` the commands ask that process.",
)
app.command(
    "deliver",
    epilog="Example: kilowatch alerts deliver --store postgresql://kilowatch_writer@127.0.0.1/kilowatch "
    "--channels channels.yaml",
)(deliver)
app.command("send-test", epilog="Example: kilowatch alerts send-test line --channels channels.yaml")(send_test)

WIDTH: Final = 10_000
By = Annotated[str | None, typer.Option("--by", help="Who; by default the user of this process.")]
Note = Annotated[str, typer.Option("--note", help="Why.")]
Messages = Annotated[
    list[str] | None,
    typer.Argument(metavar="[MESSAGE]…", help="Their ids, of `alerts deliveries --dead`, or beginnings of them."),
]
OfChannel = Annotated[str | None, typer.Option("--channel", help="All of one channel.")]
OfEpisode = Annotated[str | None, typer.Option("--episode", help="All of one episode.")]
Every = Annotated[bool, typer.Option("--all", help="All that there are.")]


@contextmanager
def _desk(store: str, *, read_only: bool) -> Iterator[Desk]:
    """The desk of a store, or of the process that holds its file."""
    need_file(store)
    try:
        with opened(store, read_only=read_only and is_server(store), operates=True) as kept:
            yield StoreDesk(kept, lambda: datetime.now(UTC))
    except StoreHeldError:
        yield RemoteDesk(path_of(store))


def _ask(store: str, verb: str, *, read_only: bool = False, **asked: Any) -> Answer:  # noqa: ANN401 - as JSON has it
    with _desk(store, read_only=read_only) as desk:
        return desk.ask(verb, asked)


def _print(rows: Answer) -> None:
    """Write a line a row, however wide, so that no id is broken."""
    sys.stdout.write(table(pl.DataFrame(rows, infer_schema_length=None), WIDTH) if rows else "(0 rows)\n")


def _user(by: str | None) -> str:
    try:
        return by or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


@app.command("check", epilog="Example: kilowatch alerts check --channels channels.yaml --sites sites")
def check(
    channels: options.Channels,
    sites: Annotated[
        Path | None,
        typer.Option("--sites", metavar="FOLDER", envvar="KILOWATCH_SITES", help="Sites whose rules routes may name."),
    ] = None,
) -> None:
    """Check a channels file, its secrets and its addresses, and say all that is wrong at once.

    With --sites it also tells words of routes that fit no site or no rule, and rules that no route takes.
    """
    folder = SiteFolder.of(sites) if sites else None
    findings, ways = examined(channels)
    if folder and ways:
        findings = [*findings, *misfits(channels, ways.routes, list(folder.sites.values()))]
    sys.stderr.writelines(f"{finding.severity.value}: {finding}\n" for finding in findings)
    errors = sum(finding.severity is Weight.ERROR for finding in findings)
    say.print(f"{channels}: {errors} errors, {len(findings) - errors} warnings", soft_wrap=True)
    raise typer.Exit(1 if errors else 0)


@app.command("list", epilog="Example: kilowatch alerts list --store duckdb:///site.duckdb")
def list_episodes(
    store: options.StoreUrl,
    every: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
) -> None:
    """List the episodes that last."""
    _print(_ask(store, "episodes", read_only=True, every=every))


@app.command(
    "ack", epilog="Example: kilowatch alerts ack 3f2a --store duckdb:///site.duckdb --note 'fan is being changed'"
)
def acknowledge(
    episode: Annotated[str, typer.Argument(metavar="EPISODE", help="Its id, of `alerts list`, or its beginning.")],
    store: options.StoreUrl,
    by: By = None,
    note: Note = "",
) -> None:
    """Say that somebody looks after an episode: no more reminders, no escalation."""
    _print(_ask(store, "acknowledge", episode_id=episode, by=_user(by), note=note))


@app.command(
    "silence",
    epilog="Example: kilowatch alerts silence --site depot --for 2h --store duckdb:///site.duckdb --note defrost",
)
def silence(
    store: options.StoreUrl,
    site: Annotated[str, typer.Option("--site", help="The site.")],
    rule: Annotated[str | None, typer.Option("--rule", help="One rule of it alone.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="One point of it alone.")] = None,
    lasts: Annotated[str | None, typer.Option("--for", metavar="DURATION", help="How long, such as 2h.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Until when, with the offset.")] = None,
    begins: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From when, for maintenance that is planned.")
    ] = None,
    by: By = None,
    note: Note = "",
) -> None:
    """Tell nobody of a site, a rule or a subject for a time; what still lasts then is told then."""
    if (lasts is None) == (until is None):
        raise typer.BadParameter("expected --for or --until, one of the two")
    if lasts is not None:
        until = _after(begins, lasts)
    named = {"rule": rule, "subject": subject}
    asked: dict[str, Any] = {"site": site, "until": until, "by": _user(by), "begins": begins, "note": note, **named}
    _print(_ask(store, "silence", **asked))


def _after(begins: str | None, lasts: str) -> str:
    try:
        span = timedelta(milliseconds=duration_ms(lasts))
        return ((moment_of(begins) if begins else datetime.now(UTC)) + span).isoformat()
    except ValueError as error:
        raise StoreError(f"alerts: --for: {error}") from error
    except OverflowError:
        raise StoreError(f"alerts: --for: expected a silence that ends before the year 10000; found {lasts}") from None


@app.command("silences", epilog="Example: kilowatch alerts silences --store duckdb:///site.duckdb")
def silences(store: options.StoreUrl) -> None:
    """List the silences that last or are to come."""
    _print(_ask(store, "silences", read_only=True))


@app.command("unsilence", epilog="Example: kilowatch alerts unsilence 3f2a --store duckdb:///site.duckdb")
def unsilence(
    silence_id: Annotated[str, typer.Argument(metavar="SILENCE", help="Its id, of `alerts silences`.")],
    store: options.StoreUrl,
) -> None:
    """End a silence now."""
    _print(_ask(store, "unsilence", silence_id=silence_id))


@app.command("deliveries", epilog="Example: kilowatch alerts deliveries --dead --store duckdb:///site.duckdb")
def deliveries(
    store: options.StoreUrl,
    dead: Annotated[bool, typer.Option("--dead", help="Dead letters alone: what was given up.")] = False,
    episode: Annotated[str | None, typer.Option("--episode", help="Of one episode alone.")] = None,
) -> None:
    """List the attempts to deliver messages, the newest first."""
    _print(_ask(store, "deliveries", read_only=True, dead=dead, episode_id=episode))


@app.command("resend", epilog="Example: kilowatch alerts resend --channel ops --store duckdb:///site.duckdb")
def resend(
    store: options.StoreUrl,
    messages: Messages = None,
    channel: OfChannel = None,
    episode: OfEpisode = None,
    every: Every = False,
    by: By = None,
    note: Note = "",
) -> None:
    """Send dead letters again, under the ids that they have; they are tried for another day."""
    _print(_ask(store, "resend", **_letters(messages, channel, episode, every=every), by=_user(by), note=note))


@app.command(
    "discard", epilog="Example: kilowatch alerts discard 3f2a.0 --store duckdb:///site.duckdb --note 'too old'"
)
def discard(
    store: options.StoreUrl,
    messages: Messages = None,
    channel: OfChannel = None,
    episode: OfEpisode = None,
    every: Every = False,
    by: By = None,
    note: Note = "",
) -> None:
    """Give dead letters up for good: they are no longer counted, and stay in mart.alert_delivery."""
    _print(_ask(store, "discard", **_letters(messages, channel, episode, every=every), by=_user(by), note=note))


def _letters(messages: list[str] | None, channel: str | None, episode: str | None, *, every: bool) -> dict[str, Any]:
    """Which dead letters are meant; nothing stands for all of them only where that is said."""
    if every == bool(messages or channel or episode):
        raise typer.BadParameter("expected messages, --channel or --episode, or --all instead of them")
    return {"messages": messages or [], "channel": channel, "episode_id": episode}
