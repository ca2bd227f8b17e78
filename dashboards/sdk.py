"""The parts of grafana-foundation-sdk that are used.

While it is imported, and only then, it calls the classic schema old, since Grafana 13 has a second one. The classic one
is what Grafana 12 writes and 13 still reads.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.builders import (
        bargauge,
        common,
        dashboard,
        gauge,
        stat,
        statetimeline,
        table,
        timeseries,
    )
    from grafana_foundation_sdk.cog import builder, plugins, runtime, variants
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models import common as shapes
    from grafana_foundation_sdk.models import dashboard as model

__all__ = [
    "JSONEncoder", "bargauge", "builder", "common", "dashboard", "gauge", "model", "plugins", "runtime", "shapes",
    "stat", "statetimeline", "table", "timeseries", "variants",
]  # fmt: skip
