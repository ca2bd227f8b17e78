"""Parts of the product that need packages which not every installation has."""

from __future__ import annotations

import importlib
from typing import Any, Final

from streams.domain.findings import KilowatchError

PACKAGES: Final = {
    "grafana_foundation_sdk": ("grafana-foundation-sdk", "dashboards"),
    "jsonschema": ("jsonschema", "dashboards"),
    "grafana_client": ("grafana-client", "grafana"),
}
"""Modules that an extra of pyproject.toml brings: the package and the extra."""


class ExtraError(KilowatchError):
    """A package is not installed."""


def part(name: str) -> Any:  # noqa: ANN401 - a module
    """Import a module; ExtraError where a package of an extra is missing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in PACKAGES:
            raise
        package, extra = PACKAGES[error.name]
        own = ", in an environment of its own" if extra == "grafana" else ""
        raise ExtraError(
            f"expected the package {package}; found none; install kilowatch[{extra}]{own} (docs/dashboards.md)"
        ) from error
