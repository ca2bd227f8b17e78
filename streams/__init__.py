"""Kilowatch's stream side: from telemetry to energy, cost and emissions that an auditor accepts."""
