"""YAML that knows its lines: bytes to plain values, with a finding for whatever is no plain YAML.

Numbers with a point stay `Decimal`, so a price or a ratio is exactly what the file says; dates stay text until a
model asks for one. Only `true` and `false` are booleans. Aliases, tags and a second document are errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from streams.domain.findings import Finding, Severity

SYNTAX = "syntax"
PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")}


class Mapping(dict[str, Any]):
    """A YAML mapping: where it begins, and the line of each of its keys."""

    line: int = 1
    lines: dict[str, int]


class Rows(list[Any]):
    """A YAML list: where it begins, and the line of each of its items."""

    line: int = 1
    lines: list[int]


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader that takes only null, true/false, decimal integers and numbers with a point as special."""


class _Quick(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml may be absent
    """The same by libyaml, where it is there: ten times faster, with poorer messages."""


for _each in (_Loader, _Quick):  # all of YAML 1.1's: sexagesimal numbers, `no`, `on`, octal, merge keys
    _each.yaml_implicit_resolvers = {}

DEEP = 100
BRACKETS = re.compile(r"[\[\]{}]")
DEEP_BLOCK = re.compile(r"(?:[-?:]\s+){100}|^[ \t]{400}", re.MULTILINE)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_DECIMAL = re.compile(r"[-+]?([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9][0-9_]*(?=[eE]))([eE][-+]?[0-9]{1,3})?")


def _scalar(node: yaml.ScalarNode) -> Any:  # noqa: ANN401
    text = str(node.value)
    if node.style:  # quoted or a block: text
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "false", "False"):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text) and len(text) < 100:
        return int(text)
    return Decimal(text.replace("_", "")) if _DECIMAL.fullmatch(text) else text


@dataclass(slots=True)
class Source:
    """A parsed file: its value as `Mapping`, `Rows` and scalars, its bytes, and what is wrong with it so far."""

    path: Path
    content: bytes
    value: Any = None
    findings: list[Finding] = field(default_factory=list)

    def add(
        self,
        code: str,
        sentence: str,
        line: int | None,
        *,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Note a finding about this file."""
        self.findings.append(Finding(code, sentence, self.path, line, expected, found, hint, severity))


def _is_deep(text: str) -> bool:
    """Whether the text may nest deeper than libyaml, which ends the process then, should be given."""
    depth = deepest = 0
    for bracket in BRACKETS.findall(text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest > DEEP or DEEP_BLOCK.search(text) is not None


def _composed(text: str) -> yaml.Node | None:
    """The document's node; what is wrong is said by the loader with the better messages."""
    if _is_deep(text):
        return yaml.compose(text, Loader=_Loader)
    try:
        return yaml.compose(text, Loader=_Quick)
    except yaml.YAMLError:
        return yaml.compose(text, Loader=_Loader)


def parse(path: Path) -> Source:
    """Read a YAML file; `findings` holds what is wrong with its bytes, syntax or keys. It is never raised."""
    source = Source(path, b"")
    try:
        source.content = path.read_bytes()
    except OSError as error:
        source.add(SYNTAX, "cannot be read", None, expected="a readable file", found=error.strerror or str(error))
        return source
    try:
        text = source.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.content.count(b"\n", 0, error.start) + 1
        source.add(SYNTAX, "is not UTF-8", line, expected="UTF-8", found=f"byte 0x{source.content[error.start]:02x}")
        return source
    try:
        node = _composed(text)
        source.value = None if node is None else _plain(node, source, set())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = ", ".join(part for part in (error.problem, error.context) if part)
        source.add(SYNTAX, "is not YAML", mark.line + 1 if mark else None, expected="YAML", found=problem)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        source.add(SYNTAX, "is not YAML", line, expected="printable text", found=f"character {error.character!r}")
    except RecursionError:
        source.add(SYNTAX, "is nested too deeply", None, expected="a few levels", found="hundreds of them")
    else:
        if source.value is None and not source.findings:
            source.add(SYNTAX, "is empty", 1, expected="a YAML document", found="nothing")
    return source


def plain(text: str) -> Any:  # noqa: ANN401
    """The value of a text that was sound when it was read from its file; YAMLError where it is not."""
    node = _composed(text)
    return None if node is None else _plain(node, Source(Path(), b""), set())


def _plain(node: yaml.Node, source: Source, seen: set[int]) -> Any:  # noqa: ANN401
    line = node.start_mark.line + 1
    if id(node) in seen:
        source.add("alias", "holds an alias", line, expected="each value written out", found="an anchor used twice")
        return None
    seen.add(id(node))
    if node.tag not in PLAIN_TAGS:
        source.add("tag", "holds a tag", line, expected="a plain value", found=node.tag)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        rows = Rows(_plain(item, source, seen) for item in node.value)
        rows.line, rows.lines = line, [item.start_mark.line + 1 for item in node.value]
        return rows
    mapping = Mapping()
    mapping.line, mapping.lines = line, {}
    for key_node, value_node in node.value:
        key_line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            source.add(SYNTAX, "has a key that is no word", key_line, expected="a word", found="a list or mapping")
            continue
        key = str(key_node.value)
        value = _plain(value_node, source, seen)
        if key in mapping:
            before = f"line {mapping.lines[key]} has it already"
            source.add("duplicate_key", f"duplicate key {key!r}", key_line, expected="each key once", found=before)
            continue
        mapping[key] = value
        mapping.lines[key] = key_line
    return mapping
