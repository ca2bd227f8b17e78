"""`kilowatch replay`: a site again from its raw archive, compared with what is stored; or into Kafka as a run."""

from __future__ import annotations

import sys
import tempfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from typer.core import TyperCommand

from jobs import options
from jobs.certificate import certify, write_certificate
from jobs.opening import is_server, opened
from jobs.republish import republish
from jobs.say import progress_bar, say
from streams.catalog.runs import RUN
from streams.catalog.site import load_site
from streams.runners.audit import replay as replay_archive
from streams.stores.duckdb import path_of

EPILOG = (
    "Examples: kilowatch replay site.yaml --store duckdb:///site.duckdb --from 2026-01-01 --to 2026-02-01 "
    "--verify --certificate january.json · years later: … --verify january.json"
)


class BareVerify(TyperCommand):
    """`--verify` may stand without a certificate: then it only asks for what a replay does anyway."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - click's, wherever typer keeps it
        """Give a bare `--verify` the empty value."""
        following = [*args[1:], "--"]
        bare = [word == "--verify" and after.startswith("-") for word, after in zip(args, following, strict=True)]
        return super().parse_args(ctx, ["--verify=" if empty else word for word, empty in zip(args, bare, strict=True)])


COMMAND_CLASS = BareVerify


def replay(
    site: options.SiteFile,
    store: options.StoreUrl,
    begins: Annotated[datetime | None, typer.Option("--from", help="First local day.", formats=["%Y-%m-%d"])] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="DAY|kafka", help="Day after the last; and kafka, to send it there."),
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="Where to write the certificate (JSON).")] = None,
    verify: Annotated[
        str | None, typer.Option(metavar="[CERT.json]", help="Compare; with a certificate, hold it against that too.")
    ] = None,
    archive: options.ArchiveFolder = None,
    run: Annotated[str | None, typer.Option(metavar="NAME", help="With --to kafka: what the run is called.")] = None,
    kafka: Annotated[
        str | None, typer.Option("--kafka", metavar="HOST:PORT,…", envvar="KILOWATCH_KAFKA", help="Kafka's servers.")
    ] = None,
    kafka_security: options.Security = options.KafkaSecurity.PLAINTEXT,
    kafka_user: options.User = None,
    kafka_password_file: options.PasswordFile = None,
    kafka_mechanism: options.Mechanism = options.MECHANISM,
    kafka_ca: options.Ca = None,
    kafka_password: options.Password = None,
) -> None:
    """Recompute a site from its raw archive and compare with what is stored, row by row.

    A certificate of hashes (readings, catalog, factors and tariffs, code, results) is written to --certificate; with
    a bare --verify it goes beside the store. A newer version of the code or the catalog that gives the same results is
    told, and is no difference.

    With --to kafka and --run NAME the readings go into Kafka again instead. Workers keep that run's results in the
    views of schema run (run.energy_interval and so on), apart from the live ones, and tell nobody of them.
    """
    loaded = load_site(site)
    window = [
        datetime.combine(day or default, time.min, tzinfo=loaded.time_zone)
        for day, default in ((begins.date() if begins else None, loaded.starts_on), (_last_day(to), date(2200, 1, 1)))
    ]
    if "kafka" in (to or ()):
        if not kafka or not run or RUN.fullmatch(run) is None:
            raise typer.BadParameter("--to kafka needs --kafka, and --run with a name of letters, digits, _ . and -")
        brokers = options.kafka_settings(
            kafka, kafka_security, kafka_user, kafka_password_file, kafka_password, kafka_mechanism, kafka_ca
        )
        with opened(store, read_only=True) as kept, progress_bar("readings") as advance:
            sent = republish(loaded, kept, brokers, run, window[0], window[1], advance, archive)
        say.print(f"{loaded.name}: {sent:,} readings sent as {loaded.name}@{run}; their results: schema run")
        return
    with opened(store, read_only=True) as kept, tempfile.TemporaryDirectory() as scratch:
        with progress_bar("readings") as advance:
            verdict = replay_archive(
                loaded, kept, Path(scratch) / "scratch.duckdb", window[0], window[1], advance, archive
            )
        found = certify(loaded, site, window[0], window[1], verdict)
    for name, rows in verdict.differing.items():
        if len(rows):
            with pl.Config(tbl_cols=-1, tbl_rows=20, tbl_width_chars=240, tbl_hide_dataframe_shape=True):
                sys.stderr.write(f"{name}: {len(rows):,} rows differ\n{rows.head(20)}\n")
    said, noted = found.against(Path(verify)) if verify else ([], [])
    for line in noted:
        say.print(f"note: {line}", soft_wrap=True)
    for line in said:
        say.print(f"error: {line}", soft_wrap=True)
    if certificate is None and verify == "":
        name = f"{loaded.name}.certificate.json"
        path = None if is_server(store) else path_of(store)
        certificate = path.with_name(f"{path.stem}.{name}") if path else Path(name)
    if certificate:
        write_certificate(certificate, found)
        say.print(f"certificate: {certificate}", soft_wrap=True)
    same = verdict.identical and not said
    say.print(f"{loaded.name}: {verdict.readings:,} readings recomputed: {'identical' if same else 'NOT identical'}")
    raise typer.Exit(0 if same else 1)


def _last_day(to: list[str] | None) -> date | None:
    days = [each for each in to or () if each != "kafka"]
    try:
        return date.fromisoformat(days[0]) if days else None
    except ValueError:
        raise typer.BadParameter(f"expected --to 2026-02-01 or --to kafka; found {days[0]!r}") from None
