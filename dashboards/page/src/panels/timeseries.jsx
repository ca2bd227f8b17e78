// Time series: Grafana's graph, with a tooltip that has the links of a point.
import { DashboardCursorSync, FieldType, getFieldDisplayName, getLinksSupplier } from '@grafana/data';
import { measureText, TimeSeries, TooltipPlugin2, UPLOT_AXIS_FONT_SIZE } from '@grafana/ui';
import { useMemo } from 'react';
import { text } from '../texts.js';
import { TooltipBox } from './tooltip.jsx';

const LEGEND = { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] };
// Room right of the last moment, in pixels; a label of the time axis that needs more is left out.
const END = 12;
const HOVER = { single: 0, multi: 1 };

export function TimeSeriesPanel({ frames, options, width, height, timeRange, timeZone, replaceVariables, onZoom, sync }) {
  const graphable = useMemo(() => frames.map(numbersOnly).filter(Boolean), [frames]);
  if (!graphable.length) {
    return <Missing frames={frames} />;
  }
  const mode = options.tooltip?.mode ?? 'single';
  return (
    <TimeSeries
      frames={graphable}
      structureRev={undefined}
      timeRange={timeRange}
      timeZone={timeZone}
      width={width}
      height={height}
      legend={{ ...LEGEND, ...options.legend }}
      options={options}
    >
      {(config, aligned) => {
        if (!Object.values(config.axes).some(({ props }) => props.placement === 'right')) {
          config.setPadding([null, END, null, null]);
          Object.values(config.axes).filter(({ props }) => props.isTime).forEach(cutLabels);
        }
        return mode === 'none' ? null : (
          <TooltipPlugin2
            config={config}
            hoverMode={HOVER[mode] ?? 0}
            queryZoom={onZoom}
            clientZoom={true}
            syncMode={sync ? DashboardCursorSync.Crosshair : DashboardCursorSync.Off}
            syncScope="dashboard"
            getDataLinks={(series, row) => linksOf(aligned, series, row, replaceVariables, timeZone)}
            render={(plot, rows, series, pinned, dismiss, range, viaSync, links) => {
              const row = rows.find((each) => each != null);
              return row === undefined ? null : (
                <TooltipBox time={aligned.fields[0].display(aligned.fields[0].values[row])} series={shown(aligned, rows, series, mode, options.tooltip?.sort)} links={pinned ? links : []} hasLinks={links.length > 0} />
              );
            }}
          />
        );
      }}
    </TimeSeries>
  );
}

function cutLabels(axis) {
  const plain = axis.getConfig.bind(axis);
  axis.getConfig = () => {
    const made = plain();
    const { values } = made;
    made.values = (plot, splits, ...more) => values(plot, splits, ...more).map((label, index) => (fits(plot, splits[index], label) ? label : ''));
    return made;
  };
}

function fits(plot, moment, label) {
  return !label || plot.valToPos(moment, plot.series[0].scale) + measureText(label, UPLOT_AXIS_FONT_SIZE).width / 2 <= plot.bbox.width / devicePixelRatio + END;
}

function numbersOnly(frame) {
  const fields = frame.fields
    .filter(({ type }) => type === FieldType.time || type === FieldType.number || type === FieldType.boolean)
    .map((field) => (field.type === FieldType.boolean ? { ...field, type: FieldType.number, values: field.values.map((each) => (each === null ? null : Number(each))) } : field));
  const usable = fields.some(({ type }) => type === FieldType.time) && fields.some(({ type }) => type === FieldType.number);
  return usable ? { ...frame, fields } : null;
}

function Missing({ frames }) {
  const types = new Set(frames.flatMap(({ fields }) => fields.map(({ type }) => type)));
  const reason = types.has(FieldType.time) ? text('noNumber') : text('noTime');
  return <div className="kw-message">{`${text('missing')}: ${reason}`}</div>;
}

function linksOf(aligned, series, row, replaceVariables, timeZone) {
  const field = aligned.fields[series];
  if (!field?.config.links?.length || row == null) {
    return [];
  }
  return getLinksSupplier(aligned, field, field.state?.scopedVars ?? {}, replaceVariables, timeZone)({ valueRowIndex: row });
}

function shown(aligned, rows, series, mode, sort) {
  const all = aligned.fields.map((field, index) => ({ field, index })).slice(1);
  const chosen = mode === 'single' ? all.filter(({ index }) => index === series) : all.filter(({ field }) => !field.config.custom?.hideFrom?.tooltip && !field.config.custom?.hideFrom?.viz);
  const found = chosen
    .map(({ field, index }) => {
      const value = rows[index] == null ? null : field.values[rows[index]];
      return { label: getFieldDisplayName(field, aligned), value, shown: field.display(value), isActive: index === series };
    })
    .filter(({ value }) => value != null || mode === 'single');
  return sort === 'asc' || sort === 'desc' ? found.sort((a, b) => (sort === 'asc' ? a.value - b.value : b.value - a.value)) : found;
}
