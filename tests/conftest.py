"""What every test shares: Hypothesis without a stopwatch, repeatable in CI; and real servers."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers.fixtures"]

settings.register_profile(
    "kilowatch",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("kilowatch-ci", settings.get_profile("kilowatch"), derandomize=True, database=None)
settings.load_profile("kilowatch-ci" if os.environ.get("CI") else "kilowatch")
