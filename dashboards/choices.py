"""Choices at the top of dashboards, columns that recur, and the ways to drill down: site, asset, point, readings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from dashboards.looks import HOURS, KWH, MOMENT, SEVERITY, SHARE, UNSURE
from dashboards.parts import Column, Link, Panel, Variable
from dashboards.words import Words

SITE: Final = Variable(name="site", label=Words("場域", "Site"), query="site")
SITES: Final = Variable(name="site", label=Words("場域", "Site"), query="site", is_multiple=True)
ASSET: Final = Variable(name="asset", label=Words("設備", "Asset"), query="asset")
ASSETS: Final = Variable(name="asset", label=Words("設備", "Asset"), query="asset", is_multiple=True)
POINT: Final = Variable(name="point", label=Words("量測點", "Point"), query="point")
COLD_SITE: Final = Variable(name="site", label=Words("場域", "Site"), query="cold_site")
FURNACE_SITE: Final = Variable(name="site", label=Words("場域", "Site"), query="furnace_site")
MACHINING_SITE: Final = Variable(name="site", label=Words("場域", "Site"), query="machining_site")
WAREHOUSE_SITE: Final = Variable(name="site", label=Words("場域", "Site"), query="warehouse_site")
MEASURE_SITE: Final = Variable(name="site", label=Words("場域", "Site"), query="measure_site")
MEASURE: Final = Variable(name="measure", label=Words("措施", "Measure"), query="measure")
SOLAR_SITE: Final = Variable(name="site", label=Words("場域", "Site"), query="solar_site")
ROOM: Final = Variable(name="room", label=Words("庫房", "Room"), query="room")
MACHINE: Final = Variable(name="machine", label=Words("機台", "Machine"), query="machine")
FURNACE: Final = Variable(name="furnace", label=Words("加熱爐", "Furnace"), query="furnace")
UNIT: Final = Variable(name="unit", label=Words("單位", "Unit"), query="unit", is_hidden=True)

TO_ENERGY: Final = Link(Words("看這個場域的電力", "Energy of this site"), "energy", {"site": "${__data.fields.site}"})
TO_CARBON: Final = Link(Words("看這個場域的碳排", "Carbon of this site"), "carbon", {"site": "${__data.fields.site}"})
TO_COLD: Final = Link(Words("看這個場域的冷鏈", "Cold chain of this site"), "cold", {"site": "${__data.fields.site}"})
TO_MACHINING: Final = Link(
    Words("看這個場域的加工", "Machining of this site"), "machining", {"site": "${__data.fields.site}"}
)
TO_FURNACES: Final = Link(
    Words("看這個場域的加熱爐", "Furnaces of this site"), "furnaces", {"site": "${__data.fields.site}"}
)
TO_WAREHOUSE: Final = Link(
    Words("看這個場域的倉儲搬運", "Warehouse of this site"), "warehouse", {"site": "${__data.fields.site}"}
)
TO_SOLAR: Final = Link(
    Words("看這個場域的太陽能", "Solar plants of this site"), "solar", {"site": "${__data.fields.site}"}
)
TO_ALERTS: Final = Link(Words("看這個場域的警報", "Alerts of this site"), "alerts", {"site": "${__data.fields.site}"})
TO_QUALITY: Final = Link(
    Words("看這個場域的資料品質", "Data quality of this site"), "quality", {"site": "${__data.fields.site}"}
)
TO_PIPELINE: Final = Link(Words("看資料管線", "The pipeline"), "pipeline")
TO_ASSET: Final = Link(
    Words("看這台設備", "This asset"), "asset", {"site": "${__data.fields.site}", "asset": "${__data.fields.asset}"}
)
TO_POINT: Final = Link(
    Words("看這個量測點", "This point"),
    "point",
    {"site": "${__data.fields.site}", "point": "${__data.fields.point}"},
)
TO_ASSET_OF_BAR: Final = Link(
    Words("看這台設備", "This asset"), "asset", {"site": "${site}", "asset": "${__data.fields.asset}"}
)
TO_ASSET_OF_SERIES: Final = Link(
    Words("看這台設備", "This asset"), "asset", {"site": "${site}", "asset": "${__field.name}"}
)
TO_POINT_OF_BAR: Final = Link(
    Words("看這個量測點", "This point"), "point", {"site": "${site}", "point": "${__data.fields.point}"}
)
TO_POINT_OF_SERIES: Final = Link(
    Words("看這個量測點", "This point"), "point", {"site": "${site}", "point": "${__field.name}"}
)

SITE_COLUMN: Final = Column(name="site", title=Words("場域", "Site"), link=TO_ENERGY)
HIDDEN_SITE: Final = Column(name="site", is_hidden=True)
HIDDEN_ASSET: Final = Column(name="asset", is_hidden=True)
ASSET_COLUMN: Final = Column(name="asset", title=Words("設備", "Asset"), link=TO_ASSET)
POINT_COLUMN: Final = Column(name="point", title=Words("量測點", "Point"), link=TO_POINT)
ENERGY_COLUMN: Final = Column(name="energy_kwh", title=Words("用電", "Energy"), unit=KWH)
CHANGE_COLUMN: Final = Column(name="change", title=Words("比前期", "Change"), unit=SHARE, decimals=1)
ESTIMATED_COLUMN: Final = Column(
    name="estimated_share", title=Words("估計", "Estimated"), unit=SHARE, decimals=1, steps=UNSURE, is_coloured=True
)
MISSING_COLUMN: Final = Column(
    name="missing_share", title=Words("缺漏", "Missing"), unit=SHARE, decimals=1, steps=UNSURE, is_coloured=True
)
KNOWN_COLUMN: Final = Column(name="known_h", title=Words("已知", "Known"), unit=HOURS, decimals=0)
"""Hours of the range of which something is known."""
SEVERITY_COLUMN: Final = Column(
    name="severity", title=Words("等級", "Severity"), names=SEVERITY, width=90, is_coloured=True
)


HOW_SURE: Final = Words("這些數字多完整", "How whole that is")
ABOUT_SURE: Final = Words(
    "旁邊的數字裡有多少是估計（前後讀值夾住、平均分攤的電量）、多少時間缺資料（不算成 0）。任一超過 5 % 就先修資料。",
    "How much of the numbers beside this is estimated (energy of gaps that readings bracket, spread evenly), and of "
    "how much time nothing is known, which is not counted as zero. Where either passes 5 %, mend the data first.",
)


def said_columns(what: str, title: Words) -> tuple[Column, Column]:
    """The columns `{what}_zh` and `{what}_en`, of which a dashboard shows that of its language."""
    wraps = {"wrapText": True}
    return (
        Column(name=f"{what}_zh", title=Words(title.zh, ""), custom=wraps),
        Column(name=f"{what}_en", title=Words("", title.en), custom=wraps),
    )


def narrow(width: int, *columns: Column) -> tuple[Column, ...]:
    """Columns of a wide table: a width in pixels for each that has none, but for one that takes the rest.

    That is the first that is shown, or the last where the first has a width.
    """
    shown = [column for column in columns if not column.is_hidden]
    free = shown[-1] if shown[0].width else shown[0]
    return tuple(
        each if each.is_hidden or each is free else replace(each, width=each.width or width) for each in columns
    )


@dataclass(frozen=True, slots=True)
class Part:
    """Columns of a panel that are shown as a panel of their own."""

    shown: tuple[str, ...]
    title: Words
    says: Words
    width: int = 8


DOUBT: Final = Part((ESTIMATED_COLUMN.name, MISSING_COLUMN.name), HOW_SURE, ABOUT_SURE)


def parted(panel: Panel, *parts: Part) -> tuple[Panel, ...]:
    """Values side by side as several panels of one query, since a phone is narrow: what is in no part comes first."""
    elsewhere = {name for part in parts for name in part.shown}
    rest = tuple(column.name for column in panel.columns if column.name not in elsewhere)
    first = replace(panel, shown=rest, width=panel.width - sum(part.width for part in parts))
    others = (replace(panel, shown=each.shown, width=each.width, title=each.title, says=each.says) for each in parts)
    return (first, *others)


def with_doubt(panel: Panel, *parts: Part) -> tuple[Panel, ...]:
    """Values, and beside them how much of them is estimated or missing."""
    return parted(panel, *parts, DOUBT)


def moment(name: str, title: Words) -> Column:
    """A column of moments, shown in the reader's time zone."""
    return Column(name=name, title=title, unit=MOMENT, width=165)
