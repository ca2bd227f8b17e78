"""The labelled sets beside the project, others' data: a refrigerator's faults, solar inverters."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jobs.bench_anomaly.labelled import MINUTE_MS, WEEK_MINUTES, Labelled, read, runs

SHARED = Path(__file__).parents[3] / "shared" / "data"
FAULTS = ("Damaged_Door_Seals", "Faulty_Compressor", "Faulty_Thermostats")
DAYS = 10
"""Days without a fault, and with each."""
BEFORE = 3
"""Healthy days before each faulty one."""
INVERTERS = ("ac_power_inv_2173_stale_data.csv", "ac_power_inv_7539_outliers.csv")


def refrigerator(folder: Path) -> list[Labelled]:
    """Each faulty day (a value a minute, W) behind three other days without a fault; by fault and day."""
    healthy = [read(folder / "Normal" / f"fridge_1_day{day}.csv", "", {}) for day in range(1, DAYS + 1)]
    found = []
    for fault in FAULTS:
        for day in range(1, DAYS + 1):
            faulty = read(folder / f"anomaly_{fault}" / f"fridge_1_day{day}_ANOMALIES.csv", fault)
            before = [healthy[(day + back) % DAYS].value for back in range(BEFORE)]
            shift = sum(map(len, before))
            value = np.concatenate([*before, faulty.value])
            minute = (faulty.minute[0] - shift + np.arange(len(value))) % WEEK_MINUTES
            events = tuple((begin + shift, end + shift, fault) for begin, end in runs(faulty.label))
            found.append(Labelled(f"{fault} {day}", MINUTE_MS, value, minute, events))
    return found


def inverters(folder: Path) -> list[Labelled]:
    """Two solar inverters, quarter-hours: stale values, outliers."""
    return [read(folder / name, name) for name in INVERTERS]
