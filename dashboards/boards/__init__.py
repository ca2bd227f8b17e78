"""Every dashboard, in the order of the links at its top."""

from __future__ import annotations

from typing import Final

from dashboards.boards import (
    alerts,
    asset,
    carbon,
    cold,
    energy,
    furnaces,
    machining,
    measures,
    overview,
    pipeline,
    point,
    quality,
    solar,
    warehouse,
)
from dashboards.parts import Board

BOARDS: Final[tuple[Board, ...]] = (
    overview.BOARD,
    energy.BOARD,
    carbon.BOARD,
    cold.BOARD,
    machining.BOARD,
    furnaces.BOARD,
    warehouse.BOARD,
    solar.BOARD,
    measures.BOARD,
    alerts.BOARD,
    quality.BOARD,
    pipeline.BOARD,
    asset.BOARD,
    point.BOARD,
)
