"""The rows of `kpis:` as written; the numbers of a row stand beside its other keys."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from streams.catalog.source import Row
from streams.domain.kpi import KpiKind


def _listed(value: Any) -> Any:  # noqa: ANN401
    return (
        {key: [each] if isinstance(each, str) else each for key, each in value.items()}
        if isinstance(value, dict)
        else value
    )


Listed = Annotated[dict[str, tuple[str, ...]], BeforeValidator(_listed)]


class KpiRow(Row):
    """One key figure; keys of no field are its numbers, which its kind knows."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    kind: KpiKind
    asset: str
    roles: Listed
    words: Listed = Field(default_factory=dict)
    system: str = ""

    @property
    def numbers(self) -> dict[str, Any]:
        """What the file gives beside the fields, checked by nobody yet."""
        return dict(self.model_extra or {})
