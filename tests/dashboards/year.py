"""A store that holds about a year of six sites: the demo's month thirteen times, each of its points three times.

Some 65 million readings and 16 million intervals, put together by SQL in a minute. It is made for measuring how long
queries take, and for nothing else: its results do not follow from its readings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from streams.stores.duckdb import DuckDBStore

MONTHS: Final = 13
DAYS: Final = 30
TWINS: Final = "cross join (select unnest([0, 1, 2]) as twin) as twins"
WHOLE: Final = ("op.catalog", "op.source", "op.position", "op.control", "op.archived")
OF_POINTS: Final = {
    "fact.interval": ("starts_at", "ends_at", "local_day"),
    "fact.anomaly": ("starts_at", "ends_at"),
    "fact.register_day": ("begins_at", "ends_at", "local_day"),
    "fact.register_event": ("decided_at", "happened_at"),
    "fact.rejected_reading": ("read_at", "recorded_at"),
}
"""Tables whose rows are of a point, and their times."""
OF_SITES: Final = {"fact.demand": ("starts_at",), "fact.cost": ("starts_at",)}


def make(demo: Path, year: Path) -> int:
    """Make the store `year` from that of a demo of thirty days; the number of its readings."""
    DuckDBStore(year).close()
    with duckdb.connect(str(year)) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"attach '{demo}' as demo (read_only)")
        for table in WHOLE:
            con.execute(f"insert into {table} by name select * from demo.{table}")
        twin = "case when twin = 0 then point else point || '-' || twin end as point"
        con.execute(
            "insert into op.point by name select * exclude (twin) "
            f"replace (point_id * 3 + twin as point_id, {twin}) from demo.op.point as p {TWINS}"
        )
        for table in ("op.kpi", "op.measure"):
            con.execute(f"insert into {table} by name select * replace (point_id * 3 as point_id) from demo.{table}")
        for month in reversed(range(MONTHS)):
            _month(con, month * DAYS)
        readings = con.execute("select count(*) from raw.reading").fetchone()
        assert readings is not None
        return int(readings[0])


def _month(con: duckdb.DuckDBPyConnection, days: int) -> None:
    """The demo's rows, that many days earlier; the first moment of a month is the last of the month before."""
    for table, times in OF_POINTS.items():
        moved = ", ".join([*(_moved(time, days) for time in times), "point_id * 3 + twin as point_id"])
        con.execute(
            f"insert into {table} by name select * exclude (twin) replace ({moved}) from demo.{table} as t {TWINS} "
            f"where {times[0]} < (select max({times[0]}) from demo.{table}) order by {times[0]}"
        )
    for table, times in OF_SITES.items():
        moved = ", ".join(_moved(time, days) for time in times)
        con.execute(f"insert into {table} by name select * replace ({moved}) from demo.{table}")
    con.execute(
        f"insert into fact.emission by name select * replace ({_moved('starts_at', days)}, {_moved('ends_at', days)}, "
        "point_id * 3 as point_id) from demo.fact.emission"
    )
    moved = ", ".join(_moved(time, days) for time in ("opened_at", "closed_at", "updated_at"))
    con.execute(
        f"insert into fact.alert_episode by name select * replace ({moved}, episode_id || '-{days}' as episode_id) "
        "from demo.fact.alert_episode"
    )
    con.execute(
        f"insert into raw.reading by name select * exclude (twin) replace ({_moved('read_at', days)}, read_at "
        f"- interval {days} day + interval 5 second as received_at, point_id * 3 + twin as point_id) "
        f"from demo.raw.reading as r {TWINS} order by read_at"
    )


def _moved(time: str, days: int) -> str:
    moved = f"{time} - interval {days} day"
    return f"cast({moved} as date) as {time}" if time == "local_day" else f"{moved} as {time}"
