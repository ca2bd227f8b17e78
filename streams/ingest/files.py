"""Files to blocks of readings, with bounded memory and a position to resume from.

NDJSON, CSV, Parquet and SHDR, each also gzipped, and `-` for NDJSON from standard input. The position counts records of
the source: lines after the header, or rows of Parquet. Whatever cannot be read raises IngestError or is a reject.
"""

from __future__ import annotations

import codecs
import hashlib
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import IO, Final, TextIO

import numpy as np
import polars as pl

from streams.domain.findings import IngestError
from streams.ingest.codec import Decoded, decode
from streams.ingest.mapper import Mapper
from streams.ingest.mapping import CANONICAL, Mapping
from streams.ingest.parquet import parquet_rows
from streams.ingest.rows import OTHER, SHDR_COLUMNS, csv_rows, fields_of, json_rows, shdr_rows

READ_BYTES: Final = 32 << 20
LINE_BYTES: Final = 256 << 20
GZIP: Final = b"\x1f\x8b"
PARQUET: Final = b"PAR1"
UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
FORMATS: Final = {".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv", ".tsv": "csv"} | {
    ".parquet": "parquet",
    ".shdr": "shdr",
}
SHDR: Final = Mapping(format="shdr", entity="entity")


@dataclass(frozen=True, slots=True)
class Block:
    """Readings (`codec.READINGS`) and rejects (`codec.REJECTS`) of a part of a source.

    `position` is how many records of the source are consumed up to the end of this block: where to resume.
    """

    readings: pl.DataFrame
    rejects: pl.DataFrame
    position: int


def source_id(path: Path) -> str:
    """SHA-256 of the content, which names the source wherever it lies; `-` is read to its end for that."""
    with ExitStack() as stack:
        stream, digest = _open(path, stack), hashlib.sha256()
        while data := _read(stream, READ_BYTES, path):
            digest.update(data)
    return digest.hexdigest()


def read_blocks(path: Path, mapping: Mapping | None, start: int = 0, block_rows: int = 500_000) -> Iterator[Block]:
    """Decode a file in blocks of about `block_rows` readings, from the record at position `start` on.

    Resumed at the position of any block, the rest is what would have followed. IngestError if the file is missing,
    empty, shorter than `start`, lacks columns or breaks off; what came before the break is delivered first.
    """
    if start < 0 or block_rows < 1:
        raise IngestError(f"{path}: expected start >= 0 and block_rows >= 1; got {start} and {block_rows}")
    with ExitStack() as stack:
        stream = _open(path, stack)
        head = _read(stream, READ_BYTES, path)
        pieces: Iterator[bytes] = chain([head], iter(lambda: _read(stream, READ_BYTES, path), b""))
        packed = head.startswith(GZIP)
        if packed:
            pieces = _inflate(pieces, path)
            head = next(pieces, b"")
            pieces = chain([head], pieces)
        if not head:
            raise IngestError(f"{path}: is empty; expected readings")
        form = mapping.format if mapping else _format(path, head)
        if form == "parquet":
            if packed:
                stream = stack.enter_context(tempfile.TemporaryFile())
                stream.writelines(pieces)
            for decoded, position in parquet_rows(stream, path, mapping or CANONICAL, start, block_rows):
                yield Block(decoded.readings, decoded.rejects, position)
        else:
            yield from _text(pieces, path, form, mapping, start, block_rows)


def _open(path: Path, stack: ExitStack) -> IO[bytes]:
    """The file, closed by the stack; for `-` the copy of standard input, from its beginning."""
    try:
        if str(path) == "-":
            copy = _copied(sys.stdin)
            copy.seek(0)
            return copy
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise IngestError(f"{path}: expected a file; found a pipe or a device (what is piped in is named -)")
        return stack.enter_context(path.open("rb"))
    except OSError as error:
        raise IngestError(f"{path}: cannot be read: {error.strerror}") from error


@cache
def _copied(source: TextIO) -> IO[bytes]:
    """A temporary copy of a stream, made once: so it has a name by its content, and a position to resume from."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - stays open as long as the process
    shutil.copyfileobj(source.buffer, copy)
    return copy


def _read(stream: IO[bytes], size: int, path: Path) -> bytes:
    try:
        return stream.read(size)
    except OSError as error:
        raise IngestError(f"{path}: cannot be read further: {error.strerror}") from error


def _inflate(pieces: Iterable[bytes], path: Path) -> Iterator[bytes]:
    """Decompress gzip members; all that is whole is delivered before a break raises IngestError."""
    member, at = zlib.decompressobj(wbits=31), 0
    for piece in pieces:
        rest = piece
        while rest:
            if member.eof:
                rest = rest.lstrip(b"\0")  # padding between or after members
                if not rest:
                    break
                member = zlib.decompressobj(wbits=31)
            try:
                data = member.decompress(rest, READ_BYTES)
            except zlib.error as error:
                raise IngestError(f"{path}: gzip is damaged after {at} bytes of content: {error}") from error
            at += len(data)
            rest = member.unused_data if member.eof else member.unconsumed_tail
            if data:
                yield data
    tail = member.flush()
    at += len(tail)
    if tail:
        yield tail
    if not member.eof:
        raise IngestError(f"{path}: gzip breaks off after {at} bytes of content; what came before was read")


def _format(path: Path, head: bytes) -> str:
    """The format that the content or the file's suffixes tell."""
    if head.startswith(PARQUET):
        return "parquet"
    for suffix in reversed(path.suffixes):
        if suffix.lower() in FORMATS:
            return FORMATS[suffix.lower()]
    first = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    return "ndjson" if str(path) == "-" or first in (b"{", b"[") else "csv"


def _recode(pieces: Iterable[bytes], encoding: str, path: Path) -> Iterator[bytes]:
    """UTF-8 of text in another encoding (what it cannot be becomes U+FFFD); a byte-order mark is taken off."""
    if codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii"):
        first = True
        for piece in pieces:
            if first and piece.startswith(UTF_16):
                raise IngestError(f"{path}: is UTF-16; expected UTF-8, or a mapping that says `encoding: utf-16`")
            yield piece.removeprefix(codecs.BOM_UTF8) if first else piece
            first = False
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in pieces:
        yield decoder.decode(piece).encode()
    yield decoder.decode(b"", final=True).encode()


def _lines(pieces: Iterable[bytes], path: Path) -> Iterator[bytes]:
    """Pieces cut after their last newline; the last line gets one if it has none."""
    kept: list[bytes | memoryview] = []
    size = 0
    for piece in pieces:
        cut = piece.rfind(b"\n") + 1
        if cut:
            yield b"".join([*kept, memoryview(piece)[:cut]])
            kept, size = [], 0
        kept.append(piece[cut:])
        size += len(piece) - cut
        if size > LINE_BYTES:
            raise IngestError(f"{path}: expected lines of at most {LINE_BYTES} bytes; got a longer one")
    if size:
        yield b"".join([*kept, b"\n"])


def _cut(blocks: Iterable[bytes], start: int, rows: int, *, replay: bool) -> Iterator[tuple[bytes, int]]:
    """(lines, position after them) of at most `rows` lines, with a cut at `start`; what is before it only on replay."""
    position = 0
    for block in blocks:
        count = block.count(b"\n")
        if count <= rows and (position >= start or (replay and position + count <= start)):
            position += count
            yield block, position
            continue
        if position + count <= start and not replay:
            position += count
            continue
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")) + 1
        begin = done = 0
        while done < count:
            before = start - position
            take = min(count - done, rows if before <= 0 else min(before, rows) if replay else before)
            end = int(ends[done + take - 1])
            done, position = done + take, position + take
            if before <= 0 or replay:
                yield block[begin:end], position
            begin = end
    if position < start:
        yield b"", position


def _header(blocks: Iterator[bytes], count: int, path: Path) -> tuple[bytes, Iterator[bytes]]:
    """Line `count` of the source (from 0), and what follows it."""
    for block in blocks:
        *above, rest = block.split(b"\n", count + 1)
        if len(above) > count:
            line = above[count].rstrip(b"\r")
            for byte, name in ((b"\0", "NUL bytes (is it UTF-16?)"), (b"\r", "a carriage return without a newline")):
                if byte in line:
                    raise IngestError(f"{path}: expected a line of column names; found {name} in it")
            return line, chain([rest] if rest else [], blocks)
        count -= len(above)
    raise IngestError(f"{path}: is empty; expected a line of column names")


def _text(
    pieces: Iterator[bytes], path: Path, form: str, mapping: Mapping | None, start: int, block_rows: int
) -> Iterator[Block]:
    """Blocks of a source of lines."""
    lines = _lines(_recode(pieces, mapping.encoding if mapping else "utf-8", path), path)
    replay, mapper = False, None
    if form == "ndjson" and mapping is None:
        decoder: Callable[[bytes], Decoded] = decode
    else:
        mapping = mapping or (SHDR if form == "shdr" else CANONICAL)
        if form == "csv":
            line, lines = _header(lines, mapping.skip_rows, path)
            delimiter = "\t" if mapping is CANONICAL and ".tsv" in path.suffixes else mapping.delimiter
            columns = fields_of(line, delimiter)
        else:
            columns = list(SHDR_COLUMNS) if form == "shdr" else [*dict.fromkeys(mapping.fields), OTHER]
            delimiter = ""
        mapper = Mapper(mapping, columns, path)
        replay = mapper.remembers and start > 0
        block_rows = max(1, block_rows // max(1, len(mapper.wide)))
        decoder = _row_decoder(form, mapper, columns, delimiter)
    position, read = 0, False
    for data, position in _cut(lines, start, block_rows, replay=replay):
        if not (read or start or data.strip(b"\r\n \t")):
            continue
        read = True
        if position < start and not data:
            raise IngestError(f"{path}: expected at least {start} records; got {position}")
        decoded = decoder(data)
        if position > start:
            yield Block(decoded.readings, decoded.rejects, position)
    if not read and start == 0:
        expected = "rows under the column names" if form == "csv" else "readings"
        raise IngestError(f"{path}: is empty; expected {expected}")


def _row_decoder(form: str, mapper: Mapper, columns: list[str], delimiter: str) -> Callable[[bytes], Decoded]:
    """How lines of a mapped format become readings."""
    mapping = mapper.mapping

    def decode_rows(data: bytes) -> Decoded:
        if form == "csv":
            frame, wrong = csv_rows(data, columns, delimiter)
        elif form == "shdr":
            frame, wrong = shdr_rows(data, mapping.conditions)
        else:
            frame, wrong = json_rows(data, [name for name in columns if name != OTHER], mapping.skip)
        decoded = mapper.decode(frame)
        return Decoded(decoded.readings, pl.concat([wrong, decoded.rejects]))

    return decode_rows
