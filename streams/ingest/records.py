"""Messages on their way from a gateway to the pipeline, before and after they have a place in a log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a gateway, or one tick of the clock.

    `site` is the key, "" where the sender named none. `gateway` is who sent it, `mqtt:plant/gw1` or `http:gw7`.
    `value` is telemetry as in docs/telemetry.md: one reading, a list, a columnar batch, or lines of these.
    `received_ms` is the arrival at the first inlet, UTC milliseconds. `tick_ms` is set on a tick, whose value is empty.
    """

    site: str
    gateway: str
    value: bytes
    received_ms: int
    tick_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A message as it waits in a log; `offset` is its position there, rising by one or more.

    `sent_ms` is the arrival at the first inlet where `received_ms` is the arrival in the log.
    """

    offset: int
    site: str
    gateway: str
    value: bytes
    received_ms: int
    tick_ms: int | None = None
    sent_ms: int | None = None


Append = Callable[[Sequence[Message]], int]
"""Puts messages into a log and returns the last offset; on return they are safe. SpoolFull when there is no room."""


def one_line(value: bytes) -> bytes:
    """Telemetry whose every line stands for itself: a single JSON value written over several lines becomes one line.

    Bytes that are no JSON as a whole are lines already, or not telemetry; they go on as they are.
    """
    value = value.strip(b" \t\r\n")
    if b"\n" not in value:
        return value
    try:
        return orjson.dumps(orjson.loads(value))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return value


def unreadable(source: str, reason: str, payload: bytes) -> bytes:
    """A line that the pipeline puts into quarantine: it holds who sent what, and why it is no reading."""
    return orjson.dumps(f"{source}: {reason}: {payload.decode('utf-8', 'replace')}")
