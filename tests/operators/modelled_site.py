"""A compressor with a room temperature and a state, a plain model of it made by hand, and telemetry for both."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from streams.domain.alerts import Rule
from streams.domain.site import Asset, Point, PointKind, Quantity, Site, SiteKind
from streams.operators.clean import DECODED
from streams.operators.models.parameters import NO_KNOT, Calibration, Forest, Model, StateInput, Terms

START_MS = 1_767_225_600_000
MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS
WORDS = ("ACTIVE", "IDLE")


def modelled_site(name: str = "depot") -> Site:
    """A site of a register, a gauge of another resolution and a state, all of one asset."""
    points = (
        Point(f"{name}/kwh", "compressor", PointKind.REGISTER, Quantity.ENERGY, "kWh", modulus=1e6, max_rate=1e3),
        Point(f"{name}/room", "compressor", PointKind.GAUGE, Quantity.TEMPERATURE, "Cel", resolution_ms=300_000),
        Point(f"{name}/execution", "compressor", PointKind.STATE, Quantity.OTHER, "1"),
    )
    zone, assets = ZoneInfo("Asia/Taipei"), (Asset("compressor"),)
    odd = Rule("odd", "model_score", (f"{name}/kwh",), numbers={"above": 0.1}, clear_ms=0)
    made = Site(
        name, SiteKind.COLD_CHAIN, zone, "", "", date(2025, 1, 1), assets, points, (), (), (), (), "AR5", (), name
    )
    return replace(made, rules=(odd,))


def plain_model(name: str = "depot", *, shift: float = 0.0, seed: int = 1) -> Model:
    """A model that nobody trained: 10 kW, half a kW for each degree, and 4 kW while it is ACTIVE."""
    chance = np.random.default_rng(seed)
    features = 3
    forest = Forest(
        chance.integers(0, features + 1, (8, 7)), chance.uniform(-5, 30, (8, 7)), chance.uniform(1, 6, (8, 8))
    )
    calibration = Calibration(
        residual=np.sort(np.abs(chance.normal(size=400, scale=0.2))),
        slow=np.sort(np.abs(chance.normal(size=400, scale=0.04))),
        isolation=np.sort(chance.uniform(8, 48, 400)),
        scale=0.16,
        slow_scale=0.03,
        lower=-2.5,
        upper=2.5,
    )
    return Model(
        asset="compressor",
        target=f"{name}/kwh",
        period_ms=QUARTER_MS,
        inputs=(f"{name}/room",),
        states=(StateInput(f"{name}/execution", WORDS),),
        lowest=np.array([-30.0, -1.0, -1.0]),
        highest=np.array([60.0, 2.0, 2.0]),
        terms=Terms(np.array([0, 1, 0]), np.array([NO_KNOT, NO_KNOT, 8.0]), np.array([-1, -1, 2])),
        intercept=10.0 + shift,
        coefficients=np.array([0.5, 4.0, 0.25]),
        forest=forest,
        calibration=calibration,
    )


def telemetry(name: str = "depot", minutes: int = 600, seed: int = 7, *, factor: float = 1.0) -> pl.DataFrame:
    """Readings each minute as they are decoded, some late, in order of arrival; words as they change.

    From the middle on the compressor draws `factor` times what it did.
    """
    chance = np.random.default_rng(seed)
    minute = np.arange(minutes)
    room = 6 + 4 * np.sin(minute / 90) + chance.normal(scale=0.2, size=minutes)
    active = np.repeat(chance.random(minutes // 20 + 1) < 0.6, 20)[:minutes]
    kw = (10 + 0.5 * room + 4 * active + chance.normal(scale=0.6, size=minutes)) * np.where(
        minute < minutes // 2, 1, factor
    )
    total = 1_000 + np.round(np.cumsum(np.clip(kw, 0, None)) / 60, 3)
    changed = np.flatnonzero(np.append(True, active[1:] != active[:-1]))
    parts = [
        pl.DataFrame({"point": f"{name}/kwh", "minute": minute, "value": total, "text": None}),
        pl.DataFrame({"point": f"{name}/room", "minute": minute, "value": np.round(room, 2), "text": None}),
        pl.DataFrame(
            {
                "point": f"{name}/execution",
                "minute": changed,
                "value": None,
                "text": [WORDS[0] if active[at] else WORDS[1] for at in changed],
            }
        ),
    ]
    schema = {"point": pl.String, "minute": pl.Int64, "value": pl.Float64, "text": pl.String}
    rows = pl.concat([part.cast(schema) for part in parts])  # type: ignore[arg-type]
    late = np.where(chance.random(len(rows)) < 0.03, chance.integers(0, 40, len(rows)), 0)
    return (
        rows.with_columns(arrival=pl.col("minute") + pl.Series(late))
        .sort("arrival", "point", "minute")
        .with_columns(
            time_ms=START_MS + pl.col("minute") * MINUTE_MS,
            unit=pl.lit(None, pl.String),
            quality=pl.lit(0, pl.Int8),
            extra=pl.lit(None, pl.String),
        )
        .select(list(DECODED))
    )


def without_state(model: Model) -> Model:
    """The same model without its state."""
    return replace(
        model,
        states=(),
        lowest=model.lowest[:1],
        highest=model.highest[:1],
        terms=Terms(np.array([0]), np.array([NO_KNOT]), np.array([-1])),
        coefficients=np.array([0.5]),
        forest=replace(model.forest, feature=model.forest.feature % 2),
    )
