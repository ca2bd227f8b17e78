"""Units and the small integer units that amounts are summed in.

Amounts are 64-bit integers of the base unit: energy in mWh, reactive energy in mvarh, volume in mL,
mass in mg, counts in thousandths, temperature in thousandths of a degree Celsius, durations in milliseconds,
degree-time in millionths of a degree Celsius for an hour.
"""

from __future__ import annotations

from fractions import Fraction

from streams.domain.site import Quantity

BASE_UNIT: dict[Quantity, str] = {
    Quantity.ENERGY: "mWh",
    Quantity.REACTIVE_ENERGY: "mvarh",
    Quantity.VOLUME: "mL",
    Quantity.MASS: "mg",
    Quantity.COUNT: "milli",
    Quantity.TEMPERATURE: "m°C",
    Quantity.DURATION: "ms",
    Quantity.DEGREE_TIME: "µ°C·h",
    Quantity.OTHER: "milli",
}

UNITS: dict[str, tuple[Quantity, Fraction]] = {
    "Wh": (Quantity.ENERGY, Fraction(1_000)),
    "kWh": (Quantity.ENERGY, Fraction(1_000_000)),
    "MWh": (Quantity.ENERGY, Fraction(1_000_000_000)),
    "W": (Quantity.ENERGY, Fraction(1_000)),
    "kW": (Quantity.ENERGY, Fraction(1_000_000)),
    "MW": (Quantity.ENERGY, Fraction(1_000_000_000)),
    "varh": (Quantity.REACTIVE_ENERGY, Fraction(1_000)),
    "kvarh": (Quantity.REACTIVE_ENERGY, Fraction(1_000_000)),
    "kvar": (Quantity.REACTIVE_ENERGY, Fraction(1_000_000)),
    "mL": (Quantity.VOLUME, Fraction(1)),
    "L": (Quantity.VOLUME, Fraction(1_000)),
    "m3": (Quantity.VOLUME, Fraction(1_000_000)),
    "L/h": (Quantity.VOLUME, Fraction(1_000)),
    "m3/h": (Quantity.VOLUME, Fraction(1_000_000)),
    "mg": (Quantity.MASS, Fraction(1)),
    "g": (Quantity.MASS, Fraction(1_000)),
    "kg": (Quantity.MASS, Fraction(1_000_000)),
    "t": (Quantity.MASS, Fraction(1_000_000_000)),
    "pcs": (Quantity.COUNT, Fraction(1_000)),
    "Cel": (Quantity.TEMPERATURE, Fraction(1_000)),
    "degF": (Quantity.TEMPERATURE, Fraction(5_000, 9)),
    "s": (Quantity.DURATION, Fraction(1_000)),
    "min": (Quantity.DURATION, Fraction(60_000)),
    "h": (Quantity.DURATION, Fraction(3_600_000)),
    "Cel.h": (Quantity.DEGREE_TIME, Fraction(1_000_000)),
    "1": (Quantity.OTHER, Fraction(1_000)),
    "%": (Quantity.OTHER, Fraction(1_000)),
}
"""Unit name to (quantity, base units in one of it). For a rate it is base units per hour.

`degF` also has an offset of 32 (`OFFSET`).
"""

OFFSET: dict[str, float] = {"degF": -32.0}
"""Added to a value before the factor of its unit is applied."""
