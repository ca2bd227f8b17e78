"""What a dashboard is made of, before it is Grafana's: columns, panels, sections with a question, variables, links.

A panel asks one query, a file of `dashboards/sql`, and names every column of its answer. Texts are in each language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from dashboards.looks import Names, Steps
from dashboards.words import Words

WIDTH: Final = 24
"""Columns of Grafana's grid. On a phone every panel is as wide as the screen, one under the other, in this order."""


class Kind(StrEnum):
    """The six kinds of panels, by Grafana's names."""

    TIME_SERIES = "timeseries"
    STAT = "stat"
    GAUGE = "gauge"
    BAR_GAUGE = "bargauge"
    TABLE = "table"
    STATE_TIMELINE = "state-timeline"


class Form(StrEnum):
    """How the data source shapes an answer."""

    TABLE = "table"
    SERIES = "time_series"


HEIGHTS: Final = {
    Kind.TIME_SERIES: 8,
    Kind.STAT: 4,
    Kind.GAUGE: 6,
    Kind.BAR_GAUGE: 8,
    Kind.TABLE: 8,
    Kind.STATE_TIMELINE: 8,
}


@dataclass(frozen=True, slots=True)
class Link:
    """A way to another dashboard of ours, in the same time range.

    `variables` of that dashboard by what they become: `${__data.fields.site}` is the column `site` of the row that was
    clicked, `${__field.name}` the name of the series, `${site}` the choice in this dashboard.
    """

    title: Words
    board: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the answer: what it is called, its unit and looks.

    `custom` holds properties that only this kind of panel has, by their names in `fieldConfig.defaults.custom`; a text
    among them, such as the name of another column, is in each language. A column without a title keeps the names that
    the rows give it (one bar a row).
    """

    name: str
    title: Words | None = None
    unit: str | None = None
    decimals: int | None = None
    steps: Steps | None = None
    names: Names | None = None
    colour: str | None = None
    lowest: float | None = None
    highest: float | None = None
    link: Link | None = None
    width: int | None = None
    is_hidden: bool = False
    is_coloured: bool = False
    custom: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How a time series is drawn; a gap stays a gap."""

    is_bars: bool = False
    is_stacked: bool = False
    is_stepped: bool = False
    from_zero: bool = True
    fill: int = 10
    has_limits: bool = False
    """Whether the thresholds are drawn as lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel: `says` is what its number means and what to do; `empty` why it may have nothing to show.

    Where several values stand side by side a dash is shown for one that is missing, and `empty` is told with `says`.

    `query` is the file `dashboards/sql/{query}.sql`. `least` is the shortest interval that it groups by. Units, steps
    and names of a panel hold for columns that have none of their own, and for series that the rows name.
    """

    kind: Kind
    title: Words
    says: Words
    query: str
    columns: tuple[Column, ...] = ()
    width: int = WIDTH
    height: int | None = None
    empty: Words | None = None
    unit: str | None = None
    decimals: int | None = None
    steps: Steps | None = None
    names: Names | None = None
    lowest: float | None = None
    highest: float | None = None
    least: str | None = None
    link: Link | None = None
    drawing: Drawing = Drawing()
    is_row_wise: bool = False
    """One value a row, named by the row's text, rather than one a column."""
    shown: tuple[str, ...] = ()
    """The columns that are shown side by side where it is not all: more than two long ones are too small on a phone."""

    @property
    def is_side_by_side(self) -> bool:
        """Whether it shows several values at once, so that a long word in one would make the others small."""
        return self.kind is Kind.STAT and len(self.columns) > 1

    @property
    def form(self) -> Form:
        """How the data source shapes the answer."""
        return Form.SERIES if self.kind in (Kind.TIME_SERIES, Kind.STATE_TIMELINE) else Form.TABLE

    @property
    def rows(self) -> int:
        """Height in rows of the grid."""
        return self.height or HEIGHTS[self.kind]


@dataclass(frozen=True, slots=True)
class Section:
    """A question that a person has, and the panels that answer it."""

    question: Words
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A choice at the top of a dashboard: what the query `dashboards/sql/variables/{query}.sql` offers."""

    name: str
    label: Words
    query: str
    is_multiple: bool = False
    is_hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A dashboard: the one question that it answers, the sections in the order in which a person asks them."""

    name: str
    title: Words
    question: Words
    variables: tuple[Variable, ...]
    sections: tuple[Section, ...]
    since: str = "now-7d"
    refresh: str = "5m"
