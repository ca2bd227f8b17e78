"""Queries of dashboards: the PostgreSQL data source's, which the SDK does not know, with SQL from `dashboards/sql`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Self

from dashboards.sdk import builder, runtime, shapes, variants
from streams.domain.findings import KilowatchError

TYPE: Final = "grafana-postgresql-datasource"
UID: Final = "kilowatch"
SQL: Final = Path(__file__).parent / "sql"


class BuildError(KilowatchError):
    """A dashboard cannot be built."""


def source() -> shapes.DataSourceRef:
    """The one data source."""
    return shapes.DataSourceRef(type_val=TYPE, uid=UID)


def sql_of(name: str) -> str:
    """The statement in `dashboards/sql/{name}.sql`, without its semicolon; BuildError where there is none."""
    path = SQL / f"{name}.sql"
    if not path.is_file():
        raise BuildError(f"{path}: expected the SQL of a panel; found no file; write it, or mend the panel's query")
    return path.read_text(encoding="utf-8").strip().removesuffix(";")


class SqlQuery(variants.Dataquery):
    """A query as Grafana's editor saves it: `form` is `table` or `time_series`."""

    def __init__(self, **saved: Any) -> None:  # noqa: ANN401 - JSON
        """Keep what is saved; keys that Grafana does not know are dropped, so that a round trip shows them."""
        self.saved = {key: value for key, value in saved.items() if key in SAVED}

    def to_json(self) -> dict[str, object]:
        """As JSON has it."""
        return dict(self.saved)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """From JSON."""
        return cls(**data)


SAVED: Final = ("datasource", "editorMode", "format", "rawQuery", "rawSql", "refId")


class Query(builder.Builder[variants.Dataquery]):
    """Builds a query from a file."""

    def __init__(self, name: str, form: str) -> None:
        """Take the SQL of a file."""
        self.made = SqlQuery(
            datasource=source(), editorMode="code", format=form, rawQuery=True, rawSql=sql_of(name), refId="A"
        )

    def build(self) -> variants.Dataquery:
        """The query."""
        return self.made


def register() -> None:
    """Tell the SDK how to read this query."""
    runtime.register_dataquery_variant(runtime.DataqueryConfig(identifier=TYPE, from_json_hook=SqlQuery.from_json))
