"""`kilowatch doctor`: what is reachable, how far behind it is, and what to mend first."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from rich.console import Console
from rich.table import Table

from jobs import options
from jobs.opening import is_server, opened
from streams.catalog.folder import SiteFolder
from streams.domain.findings import KilowatchError, StoreHeldError
from streams.ingest.kafka_settings import KafkaSettings
from streams.runners.control import RemoteDesk
from streams.runners.kafka_clients import kafka_client
from streams.runners.kafka_topics import NEEDED, TELEMETRY
from streams.stores.alert_desk import Answer, StoreDesk
from streams.stores.duckdb import path_of
from streams.stores.postgres import PostgresStore
from streams.stores.schema import check_schema
from streams.stores.store import Store

EPILOG = "Example: kilowatch doctor --store postgresql://kilowatch_reader@127.0.0.1/kilowatch --kafka 127.0.0.1:9092"
CLOCK_S = 2.0
QUIET = timedelta(hours=1)
LOOKS_BACK = (timedelta(minutes=10), QUIET, timedelta(days=1))
"""How far to look for each gateway's last reading: raw readings are many, and most gateways were heard just now."""
TIMEOUT_MS = 5_000


@dataclass(frozen=True, slots=True)
class Look:
    """One thing looked at: `mend` says what to do, and is empty where all is well."""

    what: str
    found: str
    mend: str = ""


def doctor(
    store: Annotated[
        str | None,
        typer.Option("--store", metavar="URL", envvar="KILOWATCH_STORE", help="postgresql://… or duckdb:///…"),
    ] = None,
    kafka: Annotated[
        str | None, typer.Option("--kafka", metavar="HOST:PORT,…", envvar="KILOWATCH_KAFKA", help="Kafka's servers.")
    ] = None,
    sites: Annotated[
        Path | None, typer.Option("--sites", metavar="FOLDER", envvar="KILOWATCH_SITES", help="A folder of site files.")
    ] = None,
    kafka_security: options.Security = options.KafkaSecurity.PLAINTEXT,
    kafka_user: options.User = None,
    kafka_password_file: options.PasswordFile = None,
    kafka_mechanism: options.Mechanism = options.MECHANISM,
    kafka_ca: options.Ca = None,
    kafka_password: options.Password = None,
) -> None:
    """Look at the parts of a running system: reachable, versions, lag, last reading of each gateway, clocks.

    It changes nothing; exit code 1 where something is to be mended.
    """
    looks = [Look("kilowatch", f"{version('kilowatch')}, Python {platform.python_version()}")]
    if sites:
        looks += _sites(sites)
    if store:
        looks += _attempt("store", _store, store)
    if kafka:
        brokers = options.kafka_settings(
            kafka, kafka_security, kafka_user, kafka_password_file, kafka_password, kafka_mechanism, kafka_ca
        )
        looks += _attempt("Kafka", _kafka, brokers, store)
    table = Table("what", "found", "to mend", box=None, pad_edge=False)
    for look in looks:
        table.add_row(look.what, look.found, look.mend or "-")
    Console(highlight=False, markup=False).print(table)
    raise typer.Exit(1 if any(look.mend for look in looks) else 0)


def _attempt(what: str, look: Any, *given: Any) -> list[Look]:  # noqa: ANN401 - any of the looks below
    looks: list[Look] = []
    try:
        looks.extend(look(*given))
    except KilowatchError as error:
        looks.append(Look(what, "not well", str(error)))
    return looks


def _sites(path: Path) -> list[Look]:
    try:
        folder = SiteFolder.of(path)
    except KilowatchError as error:
        return [Look("sites", "cannot be used", str(error))]
    points = sum(len(site.points) for site in folder.sites.values())
    return [Look("sites", f"{len(folder.sites)} sites, {points} points in {path}")]


def _store(url: str) -> Iterator[Look]:
    try:
        yield from _opened(url)
    except StoreHeldError:
        path = path_of(url)
        standing = RemoteDesk(path).ask("standing", {})
        yield Look("store", f"{path}: `kilowatch run` holds it, and tells of alerts alone; its daily copy has the rest")
        yield from _alerts(standing)


def _opened(url: str) -> Iterator[Look]:
    with opened(url, read_only=True) as kept:
        if is_server(url):
            server, now = kept.rows("select split_part(version(), ' ', 2), clock_timestamp() at time zone 'UTC'")[0]
            extension = kept.rows("select extversion from pg_extension where extname = 'timescaledb'")
            yield Look(
                "store", f"{kept.where}: PostgreSQL {server}, TimescaleDB {extension[0][0] if extension else 'no'}"
            )
            apart = (now.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()
            late = abs(apart) > CLOCK_S
            yield Look("clock of the store", f"{apart:+.1f} s from this machine's", "set both by NTP" if late else "")
        else:
            yield Look("store", f"{kept.where}: DuckDB {version('duckdb')}")
        if isinstance(kept, PostgresStore):
            check_schema(kept)
        yield from _gateways(kept)
        yield from _alerts(StoreDesk(kept, lambda: datetime.now(UTC)).ask("standing", {}))
        day_ago = (datetime.now(UTC) - timedelta(days=1)).replace(tzinfo=None)
        for reason, count in kept.rows(
            "select reason, count(*) from mart.quarantine where received_at > $1 "
            "group by reason order by 2 desc limit 5",
            [day_ago],
        ):
            yield Look("quarantine, last day", f"{count:,} x {reason}")


def _gateways(kept: Store) -> Iterator[Look]:
    """When each gateway was last heard; one that was silent for an hour is to be looked at."""
    now = datetime.now(UTC).replace(tzinfo=None)
    latest = "select source_id, max(received_at) from raw.reading where received_at > $1 group by source_id"
    sources = kept.rows("select source_id, site, source from op.source where is_complete = false order by site, source")
    heard: dict[int, datetime] = {}
    for back in LOOKS_BACK:
        if any(number not in heard for number, _, _ in sources):
            heard = dict(kept.rows(latest, [now - back]))
    for number, site, source in sources:
        moment = heard.get(number)
        found = f"last heard {moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "not heard for a day"
        silent = moment is None or now - moment > QUIET
        yield Look(
            f"gateway {source} of {site}", found, "is it powered, and does it reach the broker?" if silent else ""
        )


def _alerts(standing: Answer) -> Iterator[Look]:
    """Dead letters, and messages that nobody sends; a line that says so where there is nothing of that."""
    mend = {
        "dead": "mend the channel, then kilowatch alerts resend --channel {channel} (or discard)",
        "overdue": "is a sender with this channel running? kilowatch alerts deliver, or run --channels",
        "unseen": "is a sender running? kilowatch alerts deliver, or run --channels",
        "unrouted": "",
        "lasting": "",
    }
    said = {
        "dead": ("dead letters of {channel}", "{messages}, the newest of {since}: {reason}"),
        "overdue": ("messages for {channel}", "{messages} are due and not sent, the first since {since}"),
        "unseen": ("messages about alerts", "{messages} that no sender has looked at, the first of {since}"),
        "unrouted": ("messages that no route takes", "{messages} in the last day"),
        "lasting": ("episodes that last", "{messages}, the first since {since}"),
    }
    for row in standing:
        what, found = (text.format(**row) for text in said[row["what"]])
        yield Look(what, found, mend[row["what"]].format(**row))
    if not any(mend[row["what"]] for row in standing):
        yield Look("delivery of alerts", "no dead letters, and nothing that is overdue")


def _kafka(brokers: KafkaSettings, store: str | None) -> Iterator[Look]:
    """The topics that are needed, and how far behind them a store is."""
    with kafka_client(KafkaAdminClient, brokers, request_timeout_ms=TIMEOUT_MS) as admin:
        described = admin.describe_topics(list(NEEDED))
    topics = {each["name"]: each for each in described if not each["error_code"]}
    for name in NEEDED:
        if name in topics:
            yield Look(f"topic {name}", f"{len(topics[name]['partitions'])} partitions")
        else:
            yield Look(f"topic {name}", "missing", "start a worker once")
    if TELEMETRY in topics and store and is_server(store):
        yield from _attempt("lag", _lag, store, brokers, str(topics[TELEMETRY]["topic_id"]))


def _lag(url: str, brokers: KafkaSettings, identity: str) -> Iterator[Look]:
    """Messages after the stored position, by partition."""
    with opened(url, read_only=True) as kept:
        rows = kept.rows("select log, part, next_offset from op.log_position")
    stored = {(log, part): offset for log, part, offset in rows}
    with kafka_client(KafkaConsumer, brokers, request_timeout_ms=TIMEOUT_MS) as consumer:
        parts = [TopicPartition(TELEMETRY, part) for part in sorted(consumer.partitions_for_topic(TELEMETRY) or ())]
        first, last = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
    lag = {
        part.partition: last[part] - max(stored.get((f"{TELEMETRY} {identity}", part.partition), 0), first[part])
        for part in parts
    }
    behind = ", ".join(f"[{part}] {count:,}" for part, count in lag.items() if count)
    yield Look("lag", behind or "none: every message is in the store", "is a worker running?" if behind else "")
