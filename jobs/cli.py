"""The `kilowatch` command."""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from typer.core import TyperCommand

from jobs import bill, bridge, demo, doctor, migrate, options, worker
from jobs import run as live
from jobs.certificate import certify, write_certificate
from jobs.opening import is_server, opened
from jobs.republish import republish
from jobs.simulation import command as simulation
from streams.catalog.site import check_site, load_site
from streams.domain.findings import IngestError, KilowatchError, Severity
from streams.ingest.files import read_blocks, source_id
from streams.ingest.mapping import Mapping, read_mapping
from streams.runners.audit import replay as replay_archive
from streams.runners.embedded import EmbeddedRunner, Source, utc_now
from streams.runners.live import RUN
from streams.stores.duckdb import path_of

app = typer.Typer(
    name="kilowatch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From the telemetry of a site to energy, cost and emissions that an auditor accepts.",
    epilog="Exit codes: 0 done; 1 a finding or a difference; 2 the command cannot be carried out as it was given.",
)
say = Console(stderr=True, highlight=False, markup=False)
GARBAGE = 100_000
"""Objects between two looks for cycles: a batch makes many objects and no cycle."""

USAGE: type[Exception] = typer.BadParameter.__mro__[1]
"""click's error about the words of a command."""

SiteFile = Annotated[Path, typer.Argument(metavar="SITE.yaml", help="The site's catalog file.")]
AsOf = Annotated[datetime | None, typer.Option("--as-of", help="Answer as it would have then (UTC).")]
StoreUrl = Annotated[
    str,
    typer.Option("--store", metavar="URL", envvar="KILOWATCH_STORE", help="duckdb:///site.duckdb or postgresql://…"),
]
ArchiveFolder = Annotated[
    Path | None,
    typer.Option("--archive", envvar="KILOWATCH_ARCHIVE", help="The raw archive; beside the file of a DuckDB store."),
]


class Format(StrEnum):
    """How a query's result is written."""

    TABLE = "table"
    CSV = "csv"
    PARQUET = "parquet"


@app.callback()
def kilowatch() -> None:
    """From the telemetry of a site to energy, cost and emissions that an auditor accepts."""


@app.command(epilog="Example: kilowatch check deploy/sites/cold_chain_depot.yaml")
def check(site: SiteFile) -> None:
    """Check a site's catalog file and say all that is wrong with it at once."""
    findings = check_site(site)
    sys.stderr.writelines(f"{finding.severity.value}: {finding}\n" for finding in findings)
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    say.print(f"{site}: {errors} errors, {len(findings) - errors} warnings")
    raise typer.Exit(1 if errors else 0)


@app.command(
    epilog="Examples: kilowatch ingest site.yaml readings.parquet --store duckdb:///site.duckdb · "
    "kilowatch ingest site.yaml exports/ --mapping deploy/mappings/homewizard.yaml --store duckdb:///site.duckdb · "
    "cat readings.ndjson | kilowatch ingest site.yaml - --store duckdb:///site.duckdb"
)
def ingest(
    site: SiteFile,
    files: Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER|-", help="Files, folders of files, or -.")],
    store: StoreUrl,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", metavar="MAPPING.yaml", help="What foreign columns mean.")
    ] = None,
    received_at: Annotated[
        datetime | None, typer.Option("--received-at", help="The time of arrival to record, instead of now (UTC).")
    ] = None,
    block_rows: Annotated[int, typer.Option(min=1, help="Records a commit.")] = 500_000,
    archive: ArchiveFolder = None,
) -> None:
    """Take files through the pipeline into a store.

    A file that is in the store already is skipped; an ingest that was killed goes on where its last commit stood.
    """
    loaded = load_site(site)
    columns = read_mapping(mapping) if mapping else None
    with opened(store) as kept:
        moment = received_at.replace(tzinfo=UTC) if received_at else None
        runner = EmbeddedRunner(loaded, kept, (lambda: moment) if moment else utc_now, archive)
        every = list(_files(files))
        with progress_bar("readings") as advance:
            failed = _ingest_all(runner, every, columns, block_rows, advance)
            runner.finish()
        report = runner.report
    say.print(
        f"{loaded.name}: {report.readings:,} readings stored, {report.rejected:,} rejected (mart.quarantine), "
        f"{report.facts:,} facts of which {report.revisions:,} revised, {report.skipped} files known already",
        soft_wrap=True,
    )
    raise typer.Exit(1 if failed else 0)


def _ingest_all(
    runner: EmbeddedRunner, files: list[Path], mapping: Mapping | None, block_rows: int, advance: Advance
) -> bool:
    failed = False
    for path in files:
        try:
            name = path.name if str(path) != "-" else "standard input"
            blocks = partial(read_blocks, path, mapping, block_rows=block_rows)
            runner.ingest(Source(source_id(path), name, blocks), advance)
        except IngestError as error:
            failed = True
            say.print(f"error: {error}", soft_wrap=True)
    return failed


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if str(path) == "-":
            yield path
        elif path.is_dir():
            found = sorted(each for each in path.rglob("*") if each.is_file() and not each.name.startswith("."))
            if not found:
                raise IngestError(f"{path}: expected files; found an empty folder")
            yield from found
        else:
            yield path


@app.command(
    epilog="Examples: kilowatch query 'select * from mart.energy_daily' --store duckdb:///site.duckdb · "
    "kilowatch query 'select * from mart.energy_daily' --store duckdb:///site.duckdb --as-of 2026-02-01T00:00"
)
def query(
    store: StoreUrl,
    sql: Annotated[
        str | None, typer.Argument(metavar="[SQL]", help="One statement; the views are in schema mart.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A file with the statement, instead.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to write the result.")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option("--output", help="A file, instead of standard output.")] = None,
    as_of: AsOf = None,
) -> None:
    """Ask a store; nothing can be changed by it.

    With --as-of the views of energy, demand, cost and emissions answer as they did at that moment.
    """
    statements = [*([sql] if sql is not None else []), *([file.read_text(encoding="utf-8")] if file else [])]
    if len(statements) != 1:
        raise typer.BadParameter(f"expected a statement or --file, one of the two; found {len(statements)}")
    with opened(store, read_only=True, as_of=as_of) as kept:
        rows = kept.query(statements[0])
    if form is Format.TABLE:
        with pl.Config(
            tbl_rows=1_000, tbl_cols=-1, fmt_str_lengths=80, tbl_hide_dataframe_shape=True, tbl_width_chars=240
        ):
            text = f"{rows}\n({len(rows):,} rows)\n"
        (output.write_text(text, encoding="utf-8") if output else sys.stdout.write(text))
    elif form is Format.CSV:
        rows.write_csv(output or sys.stdout.buffer)
    else:
        rows.write_parquet(output or sys.stdout.buffer)


class BareVerify(TyperCommand):
    """`--verify` may stand without a certificate: then it only asks for what a replay does anyway."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - click's, wherever typer keeps it
        """Give a bare `--verify` the empty value."""
        following = [*args[1:], "--"]
        bare = [word == "--verify" and after.startswith("-") for word, after in zip(args, following, strict=True)]
        return super().parse_args(ctx, ["--verify=" if empty else word for word, empty in zip(args, bare, strict=True)])


@app.command(
    cls=BareVerify,
    epilog="Examples: kilowatch replay site.yaml --store duckdb:///site.duckdb --from 2026-01-01 --to 2026-02-01 "
    "--verify --certificate january.json · years later: … --verify january.json",
)
def replay(
    site: SiteFile,
    store: StoreUrl,
    begins: Annotated[datetime | None, typer.Option("--from", help="First local day.", formats=["%Y-%m-%d"])] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="DAY|kafka", help="Day after the last; and kafka, to send it there."),
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="Where to write the certificate (JSON).")] = None,
    verify: Annotated[
        str | None, typer.Option(metavar="[CERT.json]", help="Compare; with a certificate, hold it against that too.")
    ] = None,
    archive: ArchiveFolder = None,
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
        beside = Path() if is_server(store) else path_of(store).with_suffix("")
        certificate = beside.with_name(f"{beside.name}.{loaded.name}.certificate.json".lstrip("."))
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


app.command("bill", epilog=bill.EPILOG)(bill.month_bill)
app.command("run", epilog=live.EPILOG)(live.run)
app.command("migrate", epilog=migrate.EPILOG)(migrate.migrate_store)
app.command("doctor", epilog=doctor.EPILOG)(doctor.doctor)
app.command("worker", epilog=worker.EPILOG)(worker.worker)
app.command("bridge", epilog=bridge.EPILOG)(bridge.bridge)
app.command("token", epilog=bridge.TOKEN_EPILOG)(bridge.token)
app.command("demo", epilog=demo.EPILOG)(demo.demo)
app.command("simulate", help=simulation.HELP, epilog=simulation.EPILOG)(simulation.simulate_site)


class Advance:
    """Moves a progress bar on."""

    def __init__(self, progress: Progress, unit: str) -> None:
        """Begin at nothing."""
        self.progress, self.unit, self.count = progress, unit, 0
        self.task = progress.add_task(f"0 {unit}", total=None)

    def __call__(self, more: int) -> None:
        """Count on."""
        self.count += more
        self.progress.update(self.task, description=f"{self.count:,} {self.unit}")


@contextmanager
def progress_bar(unit: str) -> Iterator[Advance]:
    """Show on standard error how far a long work is."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=say, transient=True, disable=not say.is_terminal) as progress:
        yield Advance(progress, unit)


def _usage(error: Any) -> str:  # noqa: ANN401 - click's, wherever typer keeps it
    """What is wrong with the words of a command, in one line; of no words at all, the help."""
    command = error.ctx.command_path if error.ctx else "kilowatch"
    if len(sys.argv) == 1:
        return str(error.ctx.get_help())
    said = " ".join(error.format_message().split()).rstrip(".")
    return f"error: {command}: {said} (see {command} --help)"


def main() -> None:
    """Run the command; a mistake of the user's is one message and exit code 2, never a traceback."""
    gc.set_threshold(GARBAGE)
    try:
        sys.exit(app(standalone_mode=False))
    except KilowatchError as error:
        say.print(f"error: {error}", soft_wrap=True)
        sys.exit(2)
    except USAGE as error:
        say.print(_usage(error), soft_wrap=True)
        sys.exit(2)
    except typer.Abort:
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        say.print(f"error: {error.filename or ''} {error.strerror}".strip(), soft_wrap=True)
        sys.exit(2)
