"""Panels as the SDK builds them: one function a kind, and what all kinds share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from dashboards.links import data_link
from dashboards.looks import Names, Steps
from dashboards.parts import Column, Kind, Panel
from dashboards.query import Query, source
from dashboards.sdk import bargauge, common, dashboard, gauge, model, shapes, stat, statetimeline, table, timeseries
from dashboards.words import Language, Words, said

AnyPanel = timeseries.Panel | stat.Panel | gauge.Panel | bargauge.Panel | table.Panel | statetimeline.Panel
LAST: Final = "lastNotNull"
DASH: Final = "–"


def built(panel: Panel, number: int, place: model.GridPos, language: Language) -> model.Panel:
    """A panel in a language, with its id and its place in the grid."""
    made = MAKERS[panel.kind](panel, language)
    made.id(number).grid_pos(place).datasource(source()).title(said(panel.title, language))
    made.description(_description(panel, language)).with_target(Query(panel.query, panel.form))
    if panel.least:
        made.interval(panel.least)
    _defaults(made, panel, language)
    for column in panel.columns:
        if properties := _properties(column, panel, language):
            made.override_by_name(column.name, properties)
    if panel.link:
        links = model.DynamicConfigValue(id_val="links", value=[data_link(panel.link, language)])
        made.with_override(model.MatcherConfig(id_val="byType", options="number"), [links])
    return made.build()


def _description(panel: Panel, language: Language) -> str:
    says = said(panel.says, language)
    if not panel.is_side_by_side or panel.empty is None:
        return says
    dash = Words(
        f"「{DASH}」是沒有數字，例如{panel.empty.zh}。", f" A dash is no number, such as where {panel.empty.en}."
    )
    return says + said(dash, language)


def _defaults(made: AnyPanel, panel: Panel, language: Language) -> None:
    made.thresholds(_thresholds(panel.steps or Steps("green")))
    made.color_scheme(
        dashboard.FieldColor().mode(
            model.FieldColorModeId.THRESHOLDS
            if panel.kind is not Kind.TIME_SERIES
            else model.FieldColorModeId.PALETTE_CLASSIC
        )
    )
    if panel.unit:
        made.unit(panel.unit)
    if panel.decimals is not None:
        made.decimals(panel.decimals)
    if panel.lowest is not None:
        made.min(panel.lowest)
    if panel.highest is not None:
        made.max(panel.highest)
    if panel.names:
        made.mappings(_mappings(panel.names, language))
    if panel.empty:
        made.no_value(said(panel.empty, language))


def _time_series(panel: Panel, _: Language) -> AnyPanel:
    drawing = panel.drawing
    made = timeseries.Panel()
    made.legend(
        common.VizLegendOptions()
        .display_mode(shapes.LegendDisplayMode.LIST)
        .placement(shapes.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs([])
    ).tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI).sort(shapes.SortOrder.DESCENDING))
    made.draw_style(shapes.GraphDrawStyle.BARS if drawing.is_bars else shapes.GraphDrawStyle.LINE)
    made.bar_alignment(shapes.BarAlignment.AFTER)  # a bar stands where its day or hour begins
    made.line_width(1).fill_opacity(80 if drawing.is_bars else drawing.fill).span_nulls(False)
    made.show_points(shapes.VisibilityMode.AUTO).point_size(4)
    made.line_interpolation(
        shapes.LineInterpolation.STEP_AFTER if drawing.is_stepped else shapes.LineInterpolation.LINEAR
    )
    if drawing.from_zero:
        made.axis_soft_min(0)
    if drawing.is_stacked:
        made.stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL).group("A"))
    if drawing.has_limits:
        made.thresholds_style(common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.DASHED))
    return made


def _stat(panel: Panel, language: Language) -> AnyPanel:
    made = stat.Panel()
    made.graph_mode(shapes.BigValueGraphMode.NONE).color_mode(shapes.BigValueColorMode.VALUE)
    made.justify_mode(shapes.BigValueJustifyMode.AUTO).orientation(shapes.VizOrientation.AUTO)
    is_alone = len(panel.shown or panel.columns) == 1
    made.text_mode(shapes.BigValueTextMode.VALUE if is_alone else shapes.BigValueTextMode.VALUE_AND_NAME)
    return made.reduce_options(_reduced(panel, language))


def _gauge(panel: Panel, language: Language) -> AnyPanel:
    return gauge.Panel().orientation(shapes.VizOrientation.AUTO).reduce_options(_reduced(panel, language))


def _bar_gauge(panel: Panel, language: Language) -> AnyPanel:
    made = bargauge.Panel()
    made.orientation(shapes.VizOrientation.HORIZONTAL).display_mode(shapes.BarGaugeDisplayMode.BASIC)
    made.name_placement(shapes.BarGaugeNamePlacement.TOP).value_mode(shapes.BarGaugeValueMode.TEXT)
    made.show_unfilled(True).min_viz_height(16).min_viz_width(8)
    return made.reduce_options(_reduced(panel, language))


def _table(_panel: Panel, _: Language) -> AnyPanel:
    made = table.Panel().show_header(True).cell_height(shapes.TableCellHeight.SM)
    return made.align(shapes.FieldTextAlignment.AUTO).filterable(False)


def _state_timeline(_panel: Panel, _: Language) -> AnyPanel:
    made = statetimeline.Panel()
    made.merge_values(True).show_value(shapes.VisibilityMode.NEVER).row_height(0.8).line_width(0).fill_opacity(80)
    return made.legend(
        common.VizLegendOptions()
        .display_mode(shapes.LegendDisplayMode.LIST)
        .placement(shapes.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs([])
    ).tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.SINGLE).sort(shapes.SortOrder.NONE))


MAKERS: Final[dict[Kind, Callable[[Panel, Language], AnyPanel]]] = {
    Kind.TIME_SERIES: _time_series,
    Kind.STAT: _stat,
    Kind.GAUGE: _gauge,
    Kind.BAR_GAUGE: _bar_gauge,
    Kind.TABLE: _table,
    Kind.STATE_TIMELINE: _state_timeline,
}


def _reduced(panel: Panel, language: Language) -> common.ReduceDataOptions:
    """Which values of the answer are shown: every row's, or the last of each column; numbers alone."""
    titles = [said(each.title, language) for each in panel.columns if each.name in panel.shown and each.title]
    fields = f"/^({'|'.join(map(re.escape, titles))})$/" if titles else ""
    return common.ReduceDataOptions().values(panel.is_row_wise).calcs([LAST]).fields(fields)


def _thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    every = [model.Threshold(value=None, color=steps.base)]
    every += [model.Threshold(value=limit, color=colour) for limit, colour in steps.above]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(every)


def _mappings(names: Names, language: Language) -> list[model.ValueMapping]:
    """What stands for words of the store, which are patterns where they begin with ^."""
    results = {
        code: model.ValueMappingResult(text=said(named.words, language), color=named.colour, index=place)
        for place, (code, named) in enumerate(names.items())
    }
    plain = {code: result for code, result in results.items() if not code.startswith("^")}
    found: list[model.ValueMapping] = [model.ValueMap(options=plain)] if plain else []
    for code, result in results.items():
        if code.startswith("^"):
            options = model.DashboardRegexMapOptions(pattern=code, result=result)
            found.append(model.RegexMap(options=options))
    return found


def _properties(column: Column, panel: Panel, language: Language) -> list[model.DynamicConfigValue]:
    """What sets a column apart from the others of its panel."""
    found: list[tuple[str, object]] = []
    title = column.title and said(column.title, language)
    if title:
        found.append(("displayName", title))
    plain = (("unit", column.unit), ("decimals", column.decimals), ("min", column.lowest), ("max", column.highest))
    found += [(name, value) for name, value in plain if value is not None]
    if column.steps:
        found.append(("thresholds", _thresholds(column.steps).build()))
    if column.colour:
        found.append(("color", {"mode": "fixed", "fixedColor": column.colour}))
    if panel.is_side_by_side or (panel.kind is Kind.TABLE and panel.empty and not column.is_hidden):
        found.append(("noValue", DASH))
    if column.names:
        found.append(("mappings", _mappings(column.names, language)))
    if column.link:
        found.append(("links", [data_link(column.link, language)]))
    if panel.kind is Kind.TABLE and column.is_coloured:
        found.append(("custom.cellOptions", {"type": "color-text"}))
    if column.width:
        found.append(("custom.width", column.width))
    if column.is_hidden or title == "":  # a text in the other language
        found.append(("custom.hideFrom", {"legend": True, "tooltip": True, "viz": True}))
    for name, value in column.custom.items():
        found.append((f"custom.{name}", said(value, language) if isinstance(value, Words) else value))
    return [model.DynamicConfigValue(id_val=name, value=value) for name, value in found]
