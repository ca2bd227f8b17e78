"""The detectors that rules may name, by their kinds."""

from __future__ import annotations

from collections.abc import Mapping

from streams.operators.detectors.looking import Detector

DETECTORS: Mapping[str, Detector] = {}
