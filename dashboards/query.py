"""Queries of dashboards: the PostgreSQL data source's, which the SDK does not know, with SQL from `dashboards/sql`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, Self

from dashboards.sdk import builder, runtime, shapes, variants
from streams.domain.findings import KilowatchError

TYPE: Final = "grafana-postgresql-datasource"
UID: Final = "kilowatch"
SQL: Final = Path(__file__).parent / "sql"
DAY_START: Final = re.compile(r"local_day_start\((\w+\.day), (\w+\.time_zone)\)")
IN_DAYS: Final = re.compile(r"^( *)(.*?)in_local_days\((\w+\.day)(?:, (\w+\.time_zone))?\)", re.MULTILINE)


class BuildError(KilowatchError):
    """A dashboard cannot be built."""


def source() -> shapes.DataSourceRef:
    """The one data source."""
    return shapes.DataSourceRef(type_val=TYPE, uid=UID)


def sql_of(name: str) -> str:
    """The statement in `dashboards/sql/{name}.sql`, without its semicolon; BuildError where there is none.

    `local_day_start(d.day, z.time_zone)` stands for the moment at which a local day begins. `in_local_days(d.day)`,
    after `where` or `and`, is true of the days that a range may touch, and with the zone of those that begin in it or
    twelve hours before: half of such a day is in the range.
    """
    path = SQL / f"{name}.sql"
    if not path.is_file():
        raise BuildError(f"{path}: expected the SQL of a panel; found no file; write it, or mend the panel's query")
    statement = path.read_text(encoding="utf-8").strip().removesuffix(";")
    return DAY_START.sub(_day_start, IN_DAYS.sub(_in_days, statement))


def _day_start(found: re.Match[str]) -> str:
    return f"cast({found[1]} as timestamp) at time zone {found[2]} at time zone 'UTC'"


def _in_days(found: re.Match[str]) -> str:
    indent, before, day, zone = found.groups()
    lines = [
        f"{before}{day} >= cast(cast($__timeFrom() as timestamp) as date)",
        f"and {day} <= cast(cast($__timeTo() as timestamp) as date) + 1",
    ]
    if zone:
        lines += [
            f"and local_day_start({day}, {zone})",
            "between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)",
        ]
    return "\n".join(f"{indent}{line}" for line in lines)


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
