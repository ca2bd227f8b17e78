"""Parquet to readings, batch after batch, with a position to resume from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from streams.domain.findings import IngestError
from streams.ingest.codec import Decoded
from streams.ingest.mapper import Mapper
from streams.ingest.mapping import Mapping
from streams.ingest.nested import plain_columns


def parquet_rows(
    stream: IO[bytes], path: Path, mapping: Mapping, start: int, block_rows: int
) -> Iterator[tuple[Decoded, int]]:
    """What follows row `start`, and the position after it; IngestError where the file is not whole or has no rows."""
    try:
        stream.seek(0)
        file = pq.ParquetFile(stream)
        total = file.metadata.num_rows
        if total < max(start, 1):
            raise IngestError(f"{path}: expected at least {max(start, 1)} records; got {total}")
        mapper = Mapper(mapping, file.schema_arrow.names, path)
        replay = mapper.remembers
        rows = max(1, block_rows // max(1, len(mapper.wide)))
        position, groups = 0, list(range(file.num_row_groups))
        while not replay and groups and position + file.metadata.row_group(groups[0]).num_rows <= start:
            position += file.metadata.row_group(groups.pop(0)).num_rows
        for batch in file.iter_batches(rows, row_groups=groups) if groups else ():
            frame = plain_columns(pl.DataFrame(pa.Table.from_batches([batch])), mapper.needed, path)
            before = min(max(start - position, 0), len(frame))
            if before and replay:
                mapper.decode(frame.head(before))
            position += len(frame)
            if before < len(frame):
                yield mapper.decode(frame.slice(before)), position
    except (pa.ArrowException, OSError, pl.exceptions.PolarsError) as error:
        raise IngestError(f"{path}: is not whole Parquet: {str(error).splitlines()[0]}") from error
