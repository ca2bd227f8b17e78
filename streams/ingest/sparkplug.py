"""Sparkplug B: payloads to metrics, with the aliases and sequence numbers of each edge node.

Source: Eclipse Sparkplug Specification 3.0.0, chapter 6 (payload schema, data types) and 5 (births, sequence numbers,
rebirth requests). A birth certificate gives names, aliases and types, which data messages leave out; so data that
comes before it can be resolved only in part, and the node is asked for a rebirth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

NAMESPACE: Final = "spBv1.0"
REBIRTH: Final = "Node Control/Rebirth"
ASK_AGAIN_MS: Final = 30_000
"""How long a node is left in peace after it was asked for a rebirth."""

FIELD: Final = descriptor_pb2.FieldDescriptorProto
FIELDS: Final[Mapping[str, tuple[tuple[str, int, int], ...]]] = {
    "Payload": (
        ("timestamp", 1, FIELD.TYPE_UINT64),
        ("metrics", 2, FIELD.TYPE_MESSAGE),
        ("seq", 3, FIELD.TYPE_UINT64),
    ),
    "Metric": (
        ("name", 1, FIELD.TYPE_STRING),
        ("alias", 2, FIELD.TYPE_UINT64),
        ("timestamp", 3, FIELD.TYPE_UINT64),
        ("datatype", 4, FIELD.TYPE_UINT32),
        ("is_historical", 5, FIELD.TYPE_BOOL),
        ("is_null", 7, FIELD.TYPE_BOOL),
        ("int_value", 10, FIELD.TYPE_UINT32),
        ("long_value", 11, FIELD.TYPE_UINT64),
        ("float_value", 12, FIELD.TYPE_FLOAT),
        ("double_value", 13, FIELD.TYPE_DOUBLE),
        ("boolean_value", 14, FIELD.TYPE_BOOL),
        ("string_value", 15, FIELD.TYPE_STRING),
        ("bytes_value", 16, FIELD.TYPE_BYTES),
    ),
}
"""Name, number and type of the fields that telemetry needs; protobuf passes over the others."""
VALUES: Final = frozenset(name for name, number, _ in FIELDS["Metric"] if number >= 10)
SIGNED_BITS: Final = {1: 8, 2: 16, 3: 32, 4: 64}
"""Int8 to Int64 travel as two's complement in an unsigned field."""
BOOLEAN: Final = 11


def _payload_class() -> type[Any]:
    """The class of a payload, from the table above (proto2: a field that was not sent is told from a zero)."""
    file = descriptor_pb2.FileDescriptorProto(name="kilowatch_sparkplug.proto", package="kilowatch", syntax="proto2")
    for kind, fields in FIELDS.items():
        message = file.message_type.add(name=kind)
        values = kind == "Metric"
        if values:
            message.oneof_decl.add(name="value")
        for name, number, type_ in fields:
            each = message.field.add(name=name, number=number, type=type_, label=FIELD.LABEL_OPTIONAL)
            if name == "metrics":
                each.label, each.type_name = FIELD.LABEL_REPEATED, ".kilowatch.Metric"
            if values and name in VALUES:
                each.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("kilowatch.Payload"))


Payload: Final = _payload_class()


@dataclass(frozen=True, slots=True)
class Metric:
    """One value of an edge node or device; `value` is null where the sender said so. `time_ms` is UTC."""

    name: str
    time_ms: int | None
    value: float | int | bool | str | None
    historical: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A metric that came to nothing (name "" where it is not known), or a whole message, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Request:
    """Something to publish."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """What one message said: who, the metrics that could be resolved, what could not, and what to publish."""

    group: str
    node: str
    device: str
    metrics: tuple[Metric, ...] = ()
    problems: tuple[Problem, ...] = ()
    requests: tuple[Request, ...] = ()


@dataclass(slots=True)
class _Node:
    """What is known of an edge node: its names by alias, types by name (each by device), and its last number."""

    born: bool = False
    seq: int | None = None
    asked_ms: int | None = None
    devices: set[str] = field(default_factory=set)
    names: dict[int, tuple[str, str]] = field(default_factory=dict)
    types: dict[tuple[str, str], int] = field(default_factory=dict)

    def forget(self) -> None:
        """Nothing of the last birth holds any longer."""
        self.born, self.seq = False, None
        self.devices.clear()
        self.names.clear()
        self.types.clear()

    def forget_device(self, device: str) -> None:
        """Nothing of the device's last birth holds any longer."""
        self.devices.discard(device)
        self.names = {alias: owner for alias, owner in self.names.items() if owner[0] != device}
        self.types = {owner: type_ for owner, type_ in self.types.items() if owner[0] != device}


class Sparkplug:
    """Decodes messages of many edge nodes; holds what their births told. For one thread."""

    def __init__(self) -> None:
        """Know nobody yet."""
        self._nodes: dict[tuple[str, str], _Node] = {}

    def take(self, topic: str, payload: bytes, now_ms: int) -> Heard:
        """Decode a message on `spBv1.0/group/TYPE/node[/device]` that came at `now_ms`."""
        levels = topic.split("/")
        if len(levels) == 3 and levels[1] == "STATE":  # a host application speaks of itself
            return Heard("", "", "")
        if len(levels) not in (4, 5) or levels[2] not in KINDS:
            return Heard("", "", "", problems=(Problem("", "not a Sparkplug topic"),))
        group, kind, node = levels[1:4]
        device = levels[4] if len(levels) == 5 else ""
        if kind in ("NCMD", "DCMD"):
            return Heard(group, node, device)
        known = self._nodes.setdefault((group, node), _Node())
        if kind == "NDEATH":
            known.forget()
            return Heard(group, node, device)
        try:
            message = Payload.FromString(payload)
        except DecodeError:
            problem = Problem("", f"{kind}: not a Sparkplug B payload, 0x{payload[:64].hex()}")
            return Heard(group, node, device, problems=(problem,), requests=_ask(known, group, node, now_ms))
        sound = _follow(known, kind, device, message)
        metrics, problems = _resolve(known, kind, device, message)
        requests = () if sound and all(problem.name for problem in problems) else _ask(known, group, node, now_ms)
        return Heard(group, node, device, tuple(metrics), tuple(problems), requests)


KINDS: Final = frozenset({"NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH", "NCMD", "DCMD"})


def _follow(known: _Node, kind: str, device: str, message: Any) -> bool:  # noqa: ANN401
    """Take up births, deaths and the sequence number. False where something must have been missed."""
    if kind == "NBIRTH":
        known.forget()
        known.born, known.asked_ms = True, None
        known.seq = message.seq % 256 if message.HasField("seq") else None
        _learn(known, "", message)
        return True
    expected = None if known.seq is None else (known.seq + 1) % 256
    in_order = not message.HasField("seq") or expected is None or message.seq == expected
    if message.HasField("seq"):
        known.seq = message.seq % 256
    if kind == "DBIRTH":
        known.forget_device(device)
        known.devices.add(device)
        _learn(known, device, message)
    elif kind == "DDEATH":
        known.forget_device(device)
    elif kind == "DDATA":
        in_order = in_order and device in known.devices
    return in_order and known.born


def _learn(known: _Node, device: str, message: Any) -> None:  # noqa: ANN401
    """Keep aliases and types of a birth."""
    for metric in message.metrics:
        name = _text(metric.name)
        if name:
            known.types[device, name] = metric.datatype
            if metric.HasField("alias"):
                known.names[metric.alias] = (device, name)


def _resolve(known: _Node, kind: str, device: str, message: Any) -> tuple[list[Metric], list[Problem]]:  # noqa: ANN401
    """Metrics with their names, times and values; and a sentence for each that cannot be resolved."""
    found: list[Metric] = []
    problems: list[Problem] = []
    sent_ms = message.timestamp if message.HasField("timestamp") else None
    for metric in message.metrics:
        owner = known.names.get(metric.alias) if metric.HasField("alias") and not metric.name else None
        name = _text(metric.name) or (owner[1] if owner and owner[0] == device else "")
        if not name:
            reason = f"{kind}: alias {metric.alias} was in no birth, value {_raw(metric)!r}"
            problems.append(Problem("", reason))
            continue
        type_ = metric.datatype or known.types.get((device, name), 0)
        try:
            value = _value(metric, type_)
        except ValueError as error:
            problems.append(Problem(name, f"{kind}: {name}: {error}"))
            continue
        time_ms = metric.timestamp if metric.HasField("timestamp") else sent_ms
        found.append(Metric(name, time_ms, value, metric.is_historical))
    return found, problems


def _text(found: str | bytes) -> str:
    """A string field; protobuf leaves it bytes where it is not UTF-8."""
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found


def _raw(metric: Any) -> Any:  # noqa: ANN401
    which = metric.WhichOneof("value")
    return None if which is None else getattr(metric, which)


def _value(metric: Any, type_: int) -> float | int | bool | str | None:  # noqa: ANN401
    """The value of a metric; null where it says so. ValueError for what is no single value (bytes, sets, templates)."""
    which = metric.WhichOneof("value")
    if metric.is_null:
        return None
    if which is None or which == "bytes_value":
        raise ValueError(f"expected a number, a word or a truth value; found data type {type_}")
    value: float | int | bool | str | bytes = getattr(metric, which)
    if isinstance(value, bytes):
        raise ValueError(f"expected text in UTF-8; found 0x{value[:64].hex()}")
    if type_ in SIGNED_BITS and which in ("int_value", "long_value"):
        bits = SIGNED_BITS[type_]
        unsigned = int(value) & ((1 << bits) - 1)
        return unsigned - (1 << bits) if unsigned >> (bits - 1) else unsigned
    if which == "float_value":  # 32 bits: the shortest decimal that means the same, not the digits of a wider float
        return float(str(np.float32(value)))
    return value


def _ask(known: _Node, group: str, node: str, now_ms: int) -> tuple[Request, ...]:
    """Ask the node for a rebirth, unless it was asked a moment ago."""
    if known.asked_ms is not None and now_ms - known.asked_ms < ASK_AGAIN_MS:
        return ()
    known.asked_ms = now_ms
    return (Request(f"{NAMESPACE}/{group}/NCMD/{node}", rebirth_command(now_ms)),)


def rebirth_command(now_ms: int) -> bytes:
    """The payload of an NCMD that asks for a rebirth."""
    command: Message = Payload(
        timestamp=now_ms,
        metrics=[{"name": REBIRTH, "timestamp": now_ms, "datatype": BOOLEAN, "boolean_value": True}],
    )
    return command.SerializeToString()
