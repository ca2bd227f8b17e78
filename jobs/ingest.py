"""`kilowatch ingest`: files through the pipeline into a store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from jobs import options
from jobs.opening import opened
from jobs.say import Advance, progress_bar, say
from streams.catalog.site import load_site
from streams.domain.findings import IngestError
from streams.ingest.files import read_blocks, source_id
from streams.ingest.mapping import Mapping, read_mapping
from streams.runners.embedded import EmbeddedRunner, Source, utc_now

EPILOG = (
    "Examples: kilowatch ingest site.yaml readings.parquet --store duckdb:///site.duckdb · "
    "kilowatch ingest site.yaml exports/ --mapping deploy/mappings/homewizard.yaml --store duckdb:///site.duckdb · "
    "cat readings.ndjson | kilowatch ingest site.yaml - --store duckdb:///site.duckdb"
)


def ingest(
    site: options.SiteFile,
    files: Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER|-", help="Files, folders of files, or -.")],
    store: options.StoreUrl,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", metavar="MAPPING.yaml", help="What foreign columns mean.")
    ] = None,
    received_at: Annotated[
        datetime | None, typer.Option("--received-at", help="The time of arrival to record, instead of now (UTC).")
    ] = None,
    block_rows: Annotated[int, typer.Option(min=1, help="Records a commit.")] = 500_000,
    archive: options.ArchiveFolder = None,
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
