"""A model of an asset as plain parameters, and the bytes they are kept as: every double comes back exactly.

A model is a regression of the asset's power (or any rate of its target point) on its inputs, a forest of isolation
trees over power and inputs together (Liu, Ting, Zhou: Isolation Forest, ICDM 2008), and what both left on later data
that neither had seen, by which a score is calibrated. `jobs/training` makes one with scikit-learn; nothing here knows
of it.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from math import inf
from typing import Any, Final

import numpy as np
import orjson
import zstandard
from numpy.typing import NDArray

from streams.domain.findings import KilowatchError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

FORMAT: Final = 1
NO_KNOT: Final = -inf
LEVEL: Final = 3


@dataclass(frozen=True, slots=True)
class StateInput:
    """A point of words, each of which is a feature: the share of the window in which it held.

    Other words than these were not seen in training.
    """

    point: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """Columns of the regression, made of the features: x, or what x is above a knot, times another feature or not.

    Three arrays of one length: the number of x, its knot (-inf: x itself), the number of the other (-1: none).
    """

    feature: Integers
    knot: Floats
    by: Integers


@dataclass(frozen=True, slots=True)
class Forest:
    """Isolation trees, each full to the same depth, its nodes in order of breadth.

    `feature` and `threshold` (trees × 2^depth - 1): a row whose feature is at most the threshold goes left; a node
    above which a leaf stood has an infinite one. `length` (trees × 2^depth) is the path length of the leaf that stands
    there, the mean of what lies beneath it included. Feature 0 is the power, the others are the model's features.
    """

    feature: Integers
    threshold: Floats
    length: Floats


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the model left on later data, by which what it leaves now is judged.

    `residual` and `slow` are distances in the target's unit, `isolation` sums of path lengths, each in rising order.
    `scale` and `slow_scale` are the mean distances. `lower` and `upper` are the band around what is expected.
    """

    residual: Floats
    slow: Floats
    isolation: Floats
    scale: float
    slow_scale: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Model:
    """A model of an asset, in windows of `period_ms`.

    `target` is the point that it explains; features are the mean of each of `inputs`, then the shares of the words of
    `states`. `lowest` and `highest` (one entry a feature) bound what it was trained on, with some margin.
    """

    asset: str
    target: str
    period_ms: int
    inputs: tuple[str, ...]
    states: tuple[StateInput, ...]
    lowest: Floats
    highest: Floats
    terms: Terms
    intercept: float
    coefficients: Floats
    forest: Forest
    calibration: Calibration

    @property
    def points(self) -> tuple[str, ...]:
        """All points that it looks at, the target first."""
        return (self.target, *self.inputs, *(each.point for each in self.states))

    @property
    def features(self) -> int:
        """How many features there are."""
        return len(self.lowest)


def to_bytes(model: Model) -> bytes:
    """The parameters as compressed JSON; doubles are their eight bytes, little-endian."""
    return zstandard.ZstdCompressor(level=LEVEL).compress(plain(model))


def plain(model: Model) -> bytes:
    """The parameters as JSON, of which `digest` is taken: the same parameters give the same bytes."""
    return orjson.dumps({"format": FORMAT, **_fields(model)}, option=orjson.OPT_SORT_KEYS)


def digest(content: bytes) -> str:
    """SHA-256 of parameters, as their JSON was before it was compressed."""
    return hashlib.sha256(_unpacked(content)).hexdigest()


def from_bytes(content: bytes) -> Model:
    """The model that `to_bytes` kept; KilowatchError where the parameters are of another format."""
    found: dict[str, Any] = orjson.loads(_unpacked(content))
    if found.get("format") != FORMAT:
        raise KilowatchError(
            f"model: expected parameters of format {FORMAT}; found {found.get('format')}; upgrade Kilowatch"
        )
    calibration = found["calibration"]
    return Model(
        asset=found["asset"],
        target=found["target"],
        period_ms=found["period_ms"],
        inputs=tuple(found["inputs"]),
        states=tuple(StateInput(each["point"], tuple(each["words"])) for each in found["states"]),
        lowest=_floats(found["lowest"]),
        highest=_floats(found["highest"]),
        terms=Terms(*(_array(found["terms"][name]) for name in Terms.__slots__)),
        intercept=float.fromhex(found["intercept"]),
        coefficients=_floats(found["coefficients"]),
        forest=Forest(*(_array(found["forest"][name]) for name in Forest.__slots__)),
        calibration=Calibration(
            residual=_floats(calibration["residual"]),
            slow=_floats(calibration["slow"]),
            isolation=_floats(calibration["isolation"]),
            scale=float.fromhex(calibration["scale"]),
            slow_scale=float.fromhex(calibration["slow_scale"]),
            lower=float.fromhex(calibration["lower"]),
            upper=float.fromhex(calibration["upper"]),
        ),
    )


def _unpacked(content: bytes) -> bytes:
    try:
        return zstandard.ZstdDecompressor().decompress(content)
    except zstandard.ZstdError as error:
        raise KilowatchError(f"model: expected parameters as they were trained; found other bytes ({error})") from error


def _fields(each: Any) -> Any:  # noqa: ANN401 - any of the classes above, and what they hold
    if isinstance(each, np.ndarray):
        kind = "<f8" if each.dtype == np.float64 else "<i4"
        content = b64encode(np.ascontiguousarray(each, kind).tobytes()).decode()
        return {"kind": kind, "shape": each.shape, "content": content}
    if isinstance(each, float):
        return each.hex()
    if isinstance(each, tuple):
        return [_fields(one) for one in each]
    if hasattr(each, "__slots__") and not isinstance(each, str | int):
        return {name: _fields(getattr(each, name)) for name in each.__slots__}
    return each


def _array(found: dict[str, Any]) -> NDArray[Any]:
    kind = np.dtype(found["kind"])
    array = np.frombuffer(b64decode(found["content"]), kind).reshape(found["shape"])
    return array.astype(np.float64 if kind.kind == "f" else np.int64)


def _floats(found: dict[str, Any]) -> Floats:
    return _array(found)
