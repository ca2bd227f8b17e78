"""Every domain detector by the kind that a rule names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from streams.operators.detectors.base_load import HOLIDAY_BASE_LOAD, NIGHT_BASE_LOAD
from streams.operators.detectors.cycling import DEFROST_OVERRUN, SHORT_CYCLING
from streams.operators.detectors.drift import COMPRESSOR_DRIFT
from streams.operators.detectors.excursion import TEMPERATURE_EXCURSION
from streams.operators.detectors.fuel import FUEL_WITHOUT_MOVES, TANK_DROP_ENGINE_OFF
from streams.operators.detectors.looking import Detector
from streams.operators.detectors.machining import IDLE_AT_POWER, SETUP_OVERRUN, SPINDLE_WITHOUT_PARTS, WAITING_HOT
from streams.operators.detectors.power_factor import POWER_FACTOR_LOW
from streams.operators.detectors.sensors import STANDING_REGISTER, STUCK_VALUE
from streams.operators.detectors.solar import PV_BELOW_ENVELOPE

DETECTORS: Mapping[str, Detector] = MappingProxyType(
    {
        each.kind: each
        for each in (
            STUCK_VALUE,
            STANDING_REGISTER,
            NIGHT_BASE_LOAD,
            HOLIDAY_BASE_LOAD,
            SHORT_CYCLING,
            DEFROST_OVERRUN,
            TEMPERATURE_EXCURSION,
            COMPRESSOR_DRIFT,
            WAITING_HOT,
            SETUP_OVERRUN,
            IDLE_AT_POWER,
            SPINDLE_WITHOUT_PARTS,
            FUEL_WITHOUT_MOVES,
            TANK_DROP_ENGINE_OFF,
            PV_BELOW_ENVELOPE,
            POWER_FACTOR_LOW,
        )
    }
)
"""Kind to detector."""
