"""Text of telemetry to frames of readings; what cannot be read goes to rejects with its reason, never away.

Messages are the product's own: one JSON value a line, which is a reading `{"point", "time", "value"}` with optional
`quality` and `unit`, a list of readings, or a columnar batch whose `time` and `value` are lists of one length.
Unknown fields are kept as JSON in `extra`. Times are ISO 8601 with an offset, or a number since 1970: seconds below
1e11, milliseconds from there on; what is finer than a millisecond is cut off.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
import polars as pl

from streams.ingest.nested import TOO_DEEP, as_json
from streams.ingest.plain import plain_readings
from streams.ingest.times import times_ms
from streams.operators.clean import DECODED

READINGS: Final = pl.Schema(DECODED)
TYPED: Final = tuple(pl.col(name).cast(dtype) for name, dtype in DECODED.items())
REJECTS: Final = pl.Schema({"reason": pl.String, "payload": pl.String})
PAYLOAD_CHARS: Final = 2_000
UNAVAILABLE: Final = ("unavailable", "unknown")
"""Words that say that a sender has no value: rejected, never a zero (MTConnect, Home Assistant)."""
QUALITIES: Final = {"good": 0, "uncertain": 1, "bad": 2, "0": 0, "1": 1, "2": 2}
FAST: Final = pl.Schema(
    {"point": pl.String, "time": pl.String, "value": pl.Float64, "quality": pl.Int64, "unit": pl.String}
)
PLAIN: Final = pl.Schema({"point": pl.String, "time": pl.String, "value": pl.Float64})
KNOWN: Final = frozenset(FAST)
DOUBTFUL: Final = {
    "point": ~pl.col("point").str.contains("/", literal=True) | pl.col("point").str.contains(r"^[\[{]"),
    "unit": pl.col("unit").str.contains(r"^[\[{]|^-?[0-9]|^(true|false)$"),
}
"""Texts of a column that may have been a number, a list or another thing that is no text."""
MESSAGE: Final = pl.Schema(
    {
        "point": pl.String,
        "time": pl.String,
        "value": pl.Float64,
        "text": pl.String,
        "unit": pl.String,
        "quality": pl.Int64,
        "extra": pl.String,
    }
)
PIECES: Final = 16
SMALL_BYTES: Final = 65_536
QUICK_BYTES: Final = 1 << 20
CACHED_BYTES: Final = 1 << 18
NO_REJECTS: Final = REJECTS.to_frame()
NOT_FINITE: Final = re.compile(rb"[:\[,]\s*-?(NaN|Infinity)\b")


@dataclass(frozen=True, slots=True)
class Decoded:
    """`readings` as in `READINGS`, in the order of the source; `rejects` as in `REJECTS`."""

    readings: pl.DataFrame
    rejects: pl.DataFrame


def join(parts: Sequence[Decoded]) -> Decoded:
    """Put parts one after the other."""
    return Decoded(
        pl.concat([READINGS.to_frame(), *(part.readings for part in parts)]),
        pl.concat([REJECTS.to_frame(), *(part.rejects for part in parts)]),
    )


def rejects_of(pairs: Iterable[tuple[str, bytes]]) -> pl.DataFrame:
    """A frame of rejects from (reason, bytes as they came); payloads keep at most 2,000 characters."""
    rows = [(reason, payload[: 4 * PAYLOAD_CHARS].decode("utf-8", "replace")) for reason, payload in pairs]
    frame = pl.DataFrame([list(column) for column in zip(*rows, strict=True)] or None, schema=REJECTS)
    return frame.with_columns(pl.col("payload").str.head(PAYLOAD_CHARS))


def number_of(text: pl.Expr, decimal: str = ".", thousands: str | None = None) -> pl.Expr:
    """Float64 of text, null where it is no number; `nan` and `inf` come out as such, to be rejected."""
    bare = text.str.strip_chars()
    if thousands:
        bare = bare.str.replace_all(thousands, "", literal=True)
    if decimal != ".":
        bare = pl.when(~bare.str.contains(".", literal=True)).then(bare.str.replace(decimal, ".", literal=True))
    return bare.cast(pl.Float64, strict=False)


def settle(
    rows: pl.DataFrame, payload: Sequence[str], unavailable: Sequence[str] = UNAVAILABLE, kept: Sequence[str] = ()
) -> Decoded:
    """Part what can be used from what cannot; both keep the columns `kept`.

    `rows` has the columns of `READINGS` (quality any integer, null for good), `reason` (null, or why the row was given
    up already) and those named in `payload`, which become the JSON payload of a reject, without a leading `=`.
    `unavailable` is in lower case.
    """
    rows = rows.with_columns(pl.col("quality").fill_null(0))
    value, text = pl.col("value"), pl.col("text")
    clean = rows.select(
        pl.all_horizontal(
            pl.col("reason").is_null().all(),
            text.is_null().all(),
            (pl.col("point").is_not_null() & (pl.col("point") != "")).all(),
            pl.col("time_ms").is_not_null().all(),
            (value.is_not_null() & value.is_finite()).all(),
            pl.col("quality").is_between(0, 2).all(),
        )
    ).item()
    if clean:
        return Decoded(
            rows.select(*TYPED, *kept),
            rows.clear().select("reason", pl.col("point").alias("payload"), *kept),
        )
    empty = value.is_null() & (text.str.strip_chars().fill_null("") == "")
    word = value.is_null() & text.str.strip_chars().str.to_lowercase().is_in(list(unavailable))
    rules = [
        (pl.col("point").fill_null("") == "", "no point name"),
        (pl.col("time_ms").is_null(), "unparsable time"),
        (empty, "no value"),
        (word, "unavailable"),
        (value.is_not_null() & ~value.is_finite(), "not finite"),
        (~pl.col("quality").is_between(0, 2), "quality must be 0, 1 or 2"),
    ]
    reasons = [pl.when(rule).then(pl.lit(reason)) for rule, reason in rules]
    rows = rows.with_columns(pl.coalesce("reason", *reasons).alias("reason"))
    bad = rows.filter(pl.col("reason").is_not_null())
    record = pl.struct(
        pl.col(name).cast(pl.String, strict=False).alias(name.removeprefix("=")) for name in payload or ["point"]
    ).struct.json_encode()
    return Decoded(
        rows.filter(pl.col("reason").is_null()).select(*TYPED, *kept),
        bad.select("reason", record.str.head(PAYLOAD_CHARS).alias("payload"), *kept),
    )


def decode(data: bytes) -> Decoded:
    """Decode lines of JSON messages. A line that is wrong is rejected alone; blank lines are passed over.

    Plain readings take a columnar way, small blocks and columnar batches a quick one; a block that holds anything else
    is cut into pieces, and only the pieces that need it are read line by line. All ways give the same rows.
    """
    if len(data) <= QUICK_BYTES or b":[" in data[:QUICK_BYTES]:
        quick = plain_readings(data)
        if quick is not None:
            return Decoded(framed(*quick), NO_REJECTS)
    fast = _decode_columns(data)
    if fast is not None:
        return fast
    if len(data) <= SMALL_BYTES:
        return _decode_lines(data)
    parts, begin, size = [], 0, max(SMALL_BYTES, len(data) // PIECES)
    while begin < len(data):
        end = data.find(b"\n", begin + size) + 1 or len(data)
        piece = data[begin:end]
        parts.append(_decode_columns(piece) or _decode_lines(piece))
        begin = end
    return join(parts)


def framed(points: list[str], time_ms: np.ndarray, value: np.ndarray) -> pl.DataFrame:
    """Readings of good quality that say nothing else (READINGS)."""
    none = pl.Series("text", [None], dtype=pl.String).new_from_index(0, len(points))
    return pl.DataFrame(
        [
            pl.Series("point", points, dtype=pl.String),
            pl.Series("time_ms", time_ms),
            pl.Series("value", value),
            none,
            none.alias("unit"),
            pl.Series("quality", np.zeros(len(points), dtype=np.int8)),
            none.alias("extra"),
        ]
    )


def _decode_columns(data: bytes) -> Decoded | None:
    """The fast way, or None unless every line is a plain reading without fault.

    Polars passes over fields that its schema lacks and turns numbers and lists into text where the schema says so.
    Keys and quotes are therefore counted in the bytes: without a backslash, every `":` ends a key or begins a text with
    a colon, so that equal counts mean that no other field, null or type is there. A time that is a number as text has
    quotes that nobody counts, and would make up for those of a point or unit that is none: see `DOUBTFUL`.
    """
    marks = _marks(data)
    if marks is None:
        return None
    lines, *found = marks
    schema = PLAIN if found[0] == len(PLAIN) * lines else FAST
    try:
        rows = pl.read_ndjson(data, schema=schema)
    except pl.exceptions.PolarsError:  # which line and why is for _decode_lines to say
        return None
    count, nulls = len(rows), rows.null_count().row(0)
    if (
        any(nulls[:3])
        or rows.select(pl.any_horizontal(*(DOUBTFUL[name].any() for name in rows.columns if name in DOUBTFUL))).item()
    ):
        return None
    keys = len(schema) * count - sum(nulls)
    texts = (
        count + (count - nulls[4] if schema is FAST else 0) + int(rows["time"].str.contains(":", literal=True).sum())
    )
    if found != [keys, 2 * (keys + texts)]:
        return None
    none = pl.lit(None, pl.String)
    if schema is PLAIN:
        rows = rows.with_columns(pl.lit(0, pl.Int64).alias("quality"), none.alias("unit"))
    rows = rows.with_columns(
        times_ms(rows["time"]).alias("time_ms"), none.alias("text"), none.alias("extra"), none.alias("reason")
    )
    decoded = settle(rows, ())
    return None if len(decoded.rejects) else decoded


def _marks(data: bytes) -> tuple[int, int, int] | None:
    """Lines, and how often `":` and `"` stand in the bytes.

    None where a backslash, or a blank after a quote, makes them doubtful. By arrays, which leave the other threads at
    work, and in pieces that stay in the cache.
    """
    whole = np.frombuffer(data, dtype=np.uint8)
    lines, keys, quotes = int(not data.endswith(b"\n")), 0, 0
    for begin in range(0, len(whole), CACHED_BYTES):
        text, after = whole[begin : begin + CACHED_BYTES], whole[begin + 1 : begin + CACHED_BYTES + 1]
        quote = text == ord('"')
        within = quote[: len(after)]
        if (text == ord("\\")).any() or (within & (after <= ord(" "))).any():
            return None
        keys += int(np.count_nonzero(within & (after == ord(":"))))
        quotes += int(np.count_nonzero(quote))
        lines += int(np.count_nonzero(text == ord("\n")))
    return lines, keys, quotes


def _decode_lines(data: bytes) -> Decoded:
    """Line by line, with a reason for each reject."""
    rows = Gathered()
    for line in data.split(b"\n"):
        if line.strip():
            rows.add_line(line)
    return rows.decoded()


def _why(line: bytes, error: orjson.JSONDecodeError) -> str:
    """Why a line is not JSON."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8"
    return "not finite" if NOT_FINITE.search(line) or "infinity" in error.msg else "not JSON"


def _grade(quality: Any) -> int | None:  # noqa: ANN401
    """0, 1 or 2, good where none is given; None for what is no quality. JSON knows no difference between 1 and 1.0."""
    if quality is None:
        return 0
    if type(quality) is float and quality.is_integer():
        quality = int(quality)
    return QUALITIES.get(str(quality).lower()) if type(quality) in (int, str) else None


def _digits(number: float) -> str:
    """A number as text without an exponent, which texts of times do not have."""
    text = repr(number)
    return f"{number:.9f}" if "e" in text else text


@dataclass(slots=True)
class Gathered:
    """Readings gathered from messages, column by column: point, time, value, text, unit, quality, extra.

    `ends` has, of each message that was closed, its number, and how many rows and rejects there were by then.
    """

    rows: list[tuple[str, str, float | None, str | None, str | None, int, str | None]] = field(default_factory=list)
    rejects: list[tuple[str, bytes]] = field(default_factory=list)
    ends: list[tuple[int, int, int]] = field(default_factory=list)

    def add_line(self, line: bytes) -> None:
        """Take what stands on one line."""
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            self.rejects.append((_why(line, error), line))
            return
        for part in found if isinstance(found, list) else [found]:
            self.add(part)

    def add(self, part: Any) -> None:  # noqa: ANN401
        """Take one reading or one columnar batch."""
        if not isinstance(part, dict):
            self.rejects.append(("not a reading: expected an object", as_json(part) or TOO_DEEP))
            return
        get, extra = part.get, None
        if not part.keys() <= KNOWN:
            others = as_json({key: value for key, value in part.items() if key not in KNOWN})
            if others is None:
                named = as_json({key: part[key] for key in part.keys() & KNOWN})
                self.rejects.append(("an unknown field is nested too deeply", named or TOO_DEEP))
                return
            extra = others.decode()
        if list not in map(type, part.values()):
            self._one(get("point"), get("time"), get("value"), get("unit"), get("quality"), extra)
            return
        lists = [name for name in FAST if isinstance(get(name), list)]
        sizes = {len(part[name]) for name in lists}
        if not lists:  # a list among the unknown fields only
            self._one(get("point"), get("time"), get("value"), get("unit"), get("quality"), extra)
            return
        if len(sizes) > 1 or not {"time", "value"} <= set(lists):
            self.rejects.append(("time and value must be lists of one length", as_json(part) or TOO_DEEP))
            return
        count = sizes.pop()
        columns = [part[name] if name in lists else [get(name)] * count for name in ("point", "time", "value", "unit")]
        quality = part["quality"] if "quality" in lists else [get("quality")] * count
        for point, time, value, unit, grade in zip(*columns, quality, strict=True):
            self._one(point, time, value, unit, grade, extra)

    def _one(self, point: Any, time: Any, value: Any, unit: Any, quality: Any, extra: str | None) -> None:  # noqa: ANN401
        """Take one reading, or reject it for a field of the wrong kind."""
        kind, grade = type(value), _grade(quality)
        if type(point) is not str or not point:
            reason = "no point name"
        elif type(time) not in (str, int, float):
            reason = "no time" if time is None else "unparsable time"
        elif value is not None and kind not in (int, float, bool, str):
            reason = "value must be a number or a word"
        elif unit is not None and type(unit) is not str:
            reason = "unit must be a text"
        elif grade is None:
            reason = "quality must be 0, 1 or 2"
        else:
            number = float(value) if kind in (int, float, bool) else None
            text = value if kind is str else str(value).lower() if kind is bool else None
            self.rows.append((point, time if type(time) is str else _digits(time), number, text, unit, grade, extra))
            return
        fields = {"point": point, "time": time, "value": value, "unit": unit, "quality": quality}
        self.rejects.append((reason, as_json({n: item for n, item in fields.items() if item is not None}) or TOO_DEEP))

    def close(self, message: int) -> None:
        """What was taken since the last one was closed came with a message of that number."""
        self.ends.append((message, len(self.rows), len(self.rejects)))

    def decoded(self) -> Decoded:
        """All that was gathered; a word that is a number becomes one; with `message` where messages were closed."""
        frame = pl.DataFrame(dict(zip(MESSAGE.names(), zip(*self.rows, strict=True), strict=False)), schema=MESSAGE)
        kept: tuple[str, ...] = ()
        rejects = rejects_of(self.rejects)
        if self.ends:
            message, *ends = np.array(self.ends, dtype=np.int64).T
            of_rows, of_rejects = (pl.Series("message", message.repeat(np.diff(end, prepend=0))) for end in ends)
            frame, rejects, kept = frame.hstack([of_rows]), rejects.hstack([of_rejects]), ("message",)
        number = number_of(pl.col("text"))
        typed = frame.with_columns(
            times_ms(frame["time"]).alias("time_ms"),
            pl.coalesce("value", number).alias("value"),
            pl.when(pl.col("value").is_not_null() | number.is_null()).then(pl.col("text")).alias("text"),
            pl.lit(None, pl.String).alias("reason"),
        )
        settled = settle(typed, ("point", "time", "value", "text"), kept=kept)
        return Decoded(settled.readings, pl.concat([rejects, settled.rejects]))
