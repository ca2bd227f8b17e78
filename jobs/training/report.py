"""What training says: a new model beside the one that is active."""

from __future__ import annotations

from math import isfinite

from rich.table import Table

from jobs.simulation.command import plain_table
from jobs.training.data import Data
from jobs.training.judge import CV_LIMIT_PERCENT, NMBE_LIMIT_PERCENT, Metrics, Verdict


def compared(data: Data, verdict: Verdict, unit: str, active: int | None) -> Table:
    """Old beside new, on the same later windows."""
    table = plain_table(f"{data.choice.asset}: {data.choice.target.name}, by {', '.join(_inputs(data))}")
    table.add_column("on later windows", no_wrap=True)
    names = [f"version {active}, active"] if verdict.old and active else []
    for name in (*names, "new"):
        table.add_column(name, justify="right", no_wrap=True)
    both = [each for each in (verdict.old, verdict.new) if each is not None]
    for label, values in _rows(both, unit):
        table.add_row(label, *values)
    return table


def _inputs(data: Data) -> list[str]:
    site = data.choice.target.name.partition("/")[0]
    words = [f"{state.point} ({', '.join(state.words)})" for state in data.states]
    return [name.removeprefix(f"{site}/") for name in (*data.inputs, *words)]


def _rows(both: list[Metrics], unit: str) -> list[tuple[str, list[str]]]:
    limits = f"at most {CV_LIMIT_PERCENT:g} %", f"within ±{NMBE_LIMIT_PERCENT:g} %"
    return [
        ("windows scored", [f"{each.windows:,}" for each in both]),
        ("outside what was trained on", [_number(100 * each.outside_share, "%") for each in both]),
        ("R²", [_number(each.r2) for each in both]),
        ("mean absolute error", [_number(each.mae, unit) for each in both]),
        ("root mean square error", [_number(each.rmse, unit) for each in both]),
        (f"CV(RMSE), Guideline 14 {limits[0]}", [_number(each.cv_rmse_percent, "%") for each in both]),
        (f"NMBE, Guideline 14 {limits[1]}", [_number(each.nmbe_percent, "%") for each in both]),
        ("above the alarm threshold", [_number(100 * each.alarm_share, "%") for each in both]),
    ]


def _number(value: float, unit: str = "") -> str:
    return f"{value:.3g} {unit}".strip() if isfinite(value) else "not known"
