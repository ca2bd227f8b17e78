"""Catalog files: YAML to validated rows, every finding at once with its line (see `streams.catalog.lines`)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Self, TypeVar, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    PrivateAttr,
    RootModel,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from streams.catalog.lines import Mapping, Rows, Source, parse
from streams.domain.findings import CatalogError, Finding

M = TypeVar("M", bound=BaseModel)

DURATION_MS = {"s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
DURATION = re.compile(r"([1-9][0-9]*)\s?(s|min|h|d)")
DAY = "a date such as 2025-01-31"
EXPECTED = {
    "fraction_parsing": "a number or a fraction such as 200/5",
    "date_parsing": DAY,
    "date_type": DAY,
    "date_from_datetime_parsing": DAY,
    "date_from_datetime_inexact": DAY,
    "string_type": "text (in quotes if it looks like a number)",
}
SENTENCES = {
    "extra_forbidden": ("unknown_key", "unknown key"),
    "missing": ("missing_key", "missing key"),
    "enum": ("bad_word", "not one of the allowed words"),
    "literal_error": ("bad_word", "not one of the allowed words"),
}


def duration_ms(text: str) -> int:
    """Milliseconds of a duration such as `30s`, `5min`, `1h` or `2d`; ValueError for any other text."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a duration such as 30s, 5min, 1h or 2d; got {text!r}")
    return int(match[1]) * DURATION_MS[match[2]]


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The valid word most like a misspelt one, if any is."""
    return next(iter(difflib.get_close_matches(word, sorted(words), n=1, cutoff=0.6)), None)


class Row(BaseModel):
    """A model that forbids unknown keys and can tell the line of each key it was read from."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    _lines: dict[str, int] = PrivateAttr(default_factory=dict)
    _line: int = PrivateAttr(default=1)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_lines(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401
        row = handler(data)
        if isinstance(data, Mapping):
            row._lines, row._line = data.lines, data.line
            row._refuse_lax_readings(data)
        return row

    def _refuse_lax_readings(self, data: Mapping) -> None:
        """Pydantic would read `true` as 1 and 0 as 1970-01-01; a catalog never means that."""
        errors: list[InitErrorDetails] = []
        for name, item in type(self).model_fields.items():
            key = item.alias or name
            written, value = data.get(key), getattr(self, name)
            if isinstance(written, bool) and not isinstance(value, bool):
                errors.append({"type": PydanticCustomError("lax", "a number"), "loc": (key,), "input": written})
            elif isinstance(written, int | Decimal) and isinstance(value, date):
                errors.append({"type": PydanticCustomError("lax", DAY), "loc": (key,), "input": written})
        if errors:
            raise ValidationError.from_exception_data(type(self).__name__, errors)

    def line(self, key: str | None = None) -> int:
        """Line of a key as the file spells it; of the whole row where the file leaves the key out."""
        return self._line if key is None else self._lines.get(key, self._line)

    def wrote(self, key: str) -> bool:
        """Tell whether the file gives the key, even with a value that was refused."""
        return key in self._lines


def read(path: Path, model: type[M]) -> M:
    """Parse and validate a YAML file. CatalogError carries every finding, with file, line and nearest valid name."""
    source = parse(path)
    result = None if source.value is None else validate(source, model)
    if source.findings or result is None:
        raise CatalogError(in_order(source.findings))
    return result


def in_order(findings: list[Finding]) -> list[Finding]:
    """Findings by line, each once."""
    return sorted(dict.fromkeys(findings), key=lambda finding: (finding.line or 0, finding.code, finding.sentence))


def validate(source: Source, model: type[M]) -> M | None:
    """Validate what was parsed; what pydantic refuses becomes findings and None is returned."""
    try:
        return model.model_validate(source.value)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _report(source, model, detail)
        return None


def salvage(source: Source, model: type[M], fallbacks: dict[str, Any]) -> M | None:
    """Validate, noting findings; then leave out what was refused so that the rest can be checked further.

    A refused value falls back to its default, a row without a required key is left out, a refused key of the
    document takes its value from `fallbacks`. None if the document cannot stand without what was refused.
    `source.value` is pruned on the way.
    """
    if not isinstance(source.value, Mapping):
        return validate(source, model)
    report = True
    while True:
        try:
            return model.model_validate(source.value)
        except ValidationError as error:
            details = error.errors(include_url=False)
        refused: list[tuple[Any, Any]] = []
        for detail in details:
            if report:
                _report(source, model, detail)
            missing = detail["type"] == "missing" and len(detail["loc"]) == 1
            refused += [(source.value, detail["loc"][0])] if missing else _steps(source.value, detail["loc"])[-1:]
        report = False
        if not _prune(source.value, refused, fallbacks):
            return None


def _prune(document: Mapping, refused: list[tuple[Any, Any]], fallbacks: dict[str, Any]) -> bool:
    """Delete refused keys and rows; False if that deletes nothing, so that no further try can differ."""
    changed = False
    items = {id(holder[place]) for holder, place in refused if isinstance(holder, Rows)}
    for holder, place in refused:
        if isinstance(holder, Rows):
            keep = [index for index, item in enumerate(holder) if id(item) not in items]
            changed = changed or len(keep) < len(holder)
            holder.lines = [holder.lines[index] for index in keep]
            holder[:] = [holder[index] for index in keep]
        elif holder is document and place in fallbacks:
            changed = changed or document.get(str(place)) != fallbacks[str(place)]
            document[str(place)] = fallbacks[str(place)]
        else:
            changed = changed or place in holder
            holder.pop(place, None)
    return changed


def _steps(value: Any, loc: tuple[int | str, ...]) -> list[tuple[Any, Any]]:  # noqa: ANN401
    """The (container, key) pairs along a pydantic location; parts that name a union member are passed over."""
    steps: list[tuple[Any, Any]] = []
    for part in loc:
        inside = part in value if isinstance(value, Mapping) else isinstance(value, Rows) and part in range(len(value))
        if inside:
            holder: Any = value
            steps.append((holder, part))
            value = holder[part]
    return steps


def _report(source: Source, model: type[BaseModel], detail: ErrorDetails) -> None:
    """Turn one pydantic error into a finding."""
    loc, kind = detail["loc"], detail["type"]
    steps = _steps(source.value, loc)
    line = getattr(source.value, "line", 1)
    words: list[str] = []
    for holder, part in steps:
        line = holder.lines[part]
        name = holder[part].get("name") if isinstance(holder, Rows) and isinstance(holder[part], Mapping) else None
        words.append(f"[{name or part}]" if isinstance(holder, Rows) else f".{part}")
    if kind == "missing":
        words.append(f".{loc[-1]}")
    where = "".join(words).lstrip(".") or "document"
    code, sentence = SENTENCES.get(kind, ("bad_value", "bad value"))
    found: str | None = describe(detail["input"])
    hint = None
    if kind == "extra_forbidden":
        keys = _keys(model, loc[:-1])
        expected, found = "one of " + ", ".join(sorted(keys)), str(loc[-1])
        hint = nearest(found, keys)
    elif kind in ("enum", "literal_error"):
        expected = str(detail["ctx"]["expected"])
        hint = nearest(str(detail["input"]), re.findall(r"'([^']*)'", expected))
    elif kind == "missing":
        expected, found = "a value", "nothing"
    elif kind == "model_type":
        expected = "a mapping of " + ", ".join(sorted(_keys(model, loc)))
    else:
        expected = EXPECTED.get(kind) or re.sub(
            r"^(Value error, )?((Input|Value) should be )?(expected )?", "", detail["msg"]
        )
        expected = re.split(r"; got |, got |, unable to ", expected)[0]
    source.add(code, f"{where}: {sentence}", line, expected=expected, found=found, hint=hint)


def describe(value: Any) -> str:  # noqa: ANN401
    """A value as a sentence can hold it."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return repr(value) if isinstance(value, str) else str(value)


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> set[str]:
    """Valid keys of the model that a location leads to."""
    kinds: list[Any] = [model]
    for part in loc:
        inner: list[Any] = []
        for kind in _models(kinds):
            inner += [item.annotation for key, item in kind.model_fields.items() if part in (key, item.alias)]
        kinds = inner or kinds
    return {item.alias or key for kind in _models(kinds) for key, item in kind.model_fields.items()}


def _models(kinds: list[Any]) -> list[type[BaseModel]]:
    """The models inside annotations such as `tuple[Row, ...]`, `Row | None` or a RootModel."""
    found: list[type[BaseModel]] = []
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, RootModel):
            found += _models([kind.model_fields["root"].annotation])
        elif isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, BaseModel):
            found.append(kind)
        elif get_origin(kind) in (Union, UnionType, Annotated, list, tuple, dict, set, frozenset):
            found += _models(list(get_args(kind)))
    return found
