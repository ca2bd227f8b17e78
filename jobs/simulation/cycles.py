"""Thermostats: on and off in turn."""

from __future__ import annotations

import numpy as np

from jobs.simulation.clock import Clock, Real, Truth, chance


def cycling(clock: Clock, name: str, duty: Real, minutes: float) -> Truth:
    """On and off, like a thermostat: on for the share `duty` of each cycle of about so many minutes."""
    pace = 1 / minutes * (1 + 0.15 * np.tanh(clock.drift(name + "/pace", 1.0, 90)))
    phase = np.cumsum(pace) + chance(clock.seed, clock.site.name, name, "phase").random()
    result: Truth = phase % 1 < duty
    return result
