// State timeline: one row a series, one box a state. Grafana publishes none; values, colours and names come from its display processors.
import { dateTimeFormat, dateTimeForTimeZone, FieldType, formattedValueToString, getFieldDisplayName, toUtc } from '@grafana/data';
import { measureText, useTheme2, VizLegend } from '@grafana/ui';
import { useMemo, useState } from 'react';
import { text } from '../texts.js';
import { PointerTooltip, TooltipBox } from './tooltip.jsx';

const AXIS = 24;
const LEGEND = 28;
const [MINUTE, HOUR, DAY] = [60e3, 3600e3, 86400e3];
const STEPS = [MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 365 * DAY];

export function StateTimelinePanel({ frames, options, width, height, timeRange, timeZone }) {
  const theme = useTheme2();
  const [hover, setHover] = useState(null);
  const rows = useMemo(() => frames.flatMap((frame) => rowsOf(frame, frames, options.mergeValues !== false, timeRange)), [frames, options.mergeValues, timeRange]);
  if (!rows.length) {
    return <div className="kw-message">{text('missing')}</div>;
  }
  const states = [...new Map(rows.flatMap(({ parts }) => parts.map(({ shown }) => [formattedValueToString(shown), shown.color]))).entries()];
  const legend = options.legend?.showLegend !== false && options.legend?.displayMode !== 'hidden';
  const names = Math.min(width * 0.35, Math.max(...rows.map(({ name }) => measureText(name, 12).width)) + 12);
  const [from, to] = [timeRange.from.valueOf(), timeRange.to.valueOf()];
  const plot = { left: names, width: Math.max(10, width - names - 8), height: height - AXIS - (legend ? LEGEND : 0) };
  const x = (time) => plot.left + ((Math.min(to, Math.max(from, time)) - from) / (to - from)) * plot.width;
  const rowHeight = plot.height / rows.length;
  const boxHeight = rowHeight * (options.rowHeight ?? 0.9);
  const font = 12;
  const opacity = (field) => (field.config.custom?.fillOpacity ?? 70) / 100;
  return (
    <div onMouseLeave={() => setHover(null)}>
      <svg width={width} height={height - (legend ? LEGEND : 0)} style={{ display: 'block' }}>
        {ticks(from, to, plot.width, timeZone).map(({ time, label }) => (
          <g key={time}>
            <line x1={x(time)} x2={x(time)} y1={0} y2={plot.height} stroke={theme.colors.border.weak} />
            <text x={x(time)} y={plot.height + 16} textAnchor="middle" fontSize={font} fill={theme.colors.text.primary}>{label}</text>
          </g>
        ))}
        {rows.map(({ name, field, parts }, index) => {
          const top = index * rowHeight + (rowHeight - boxHeight) / 2;
          return (
            <g key={index}>
              <text x={names - 8} y={index * rowHeight + rowHeight / 2 + 4} textAnchor="end" fontSize={font} fill={theme.colors.text.primary}>{cut(name, names - 8)}</text>
              {parts.map((part) => {
                const [left, right] = [x(part.from), x(part.to)];
                const label = formattedValueToString(part.shown);
                const fits = options.showValue !== 'never' && boxHeight > font && (options.showValue === 'always' || measureText(label, font).width + 8 < right - left);
                const box = (
                  <g onMouseMove={(event) => setHover({ x: event.clientX, y: event.clientY, name, part, field })} key={part.from}>
                    <rect x={left} y={top} width={Math.max(0.5, right - left)} height={boxHeight} fill={part.shown.color} fillOpacity={opacity(field)} stroke={part.shown.color} strokeWidth={field.config.custom?.lineWidth ?? 0} />
                    {fits && <text x={options.alignValue === 'center' ? (left + right) / 2 : options.alignValue === 'right' ? right - 4 : left + 4} textAnchor={{ center: 'middle', right: 'end' }[options.alignValue] ?? 'start'} y={top + boxHeight / 2 + 4} fontSize={font} fill={theme.colors.getContrastText(part.shown.color)}>{label}</text>}
                  </g>
                );
                const link = field.config.links?.length ? field.getLinks({ valueRowIndex: part.row })[0] : undefined;
                return link ? <a key={part.from} href={link.href} target={link.target}>{box}</a> : box;
              })}
            </g>
          );
        })}
      </svg>
      {legend && (
        <div style={{ height: LEGEND, overflow: 'hidden' }}>
          <VizLegend displayMode="list" placement="bottom" items={states.map(([label, color]) => ({ label, color, yAxis: 1 }))} />
        </div>
      )}
      <PointerTooltip at={hover}>
        {hover && (
          <TooltipBox
            time={{ text: `${dateTimeFormat(Math.max(from, hover.part.from), { timeZone })} – ${dateTimeFormat(Math.min(to, hover.part.to), { timeZone })}`, numeric: NaN }}
            series={[{ label: hover.name, shown: hover.part.shown }]}
          />
        )}
      </PointerTooltip>
    </div>
  );
}

// Series of a frame, each with its states: from, to, row and what is shown; a null ends a state.
function rowsOf(frame, frames, merges, timeRange) {
  const time = frame.fields.find(({ type }) => type === FieldType.time);
  if (!time) {
    return [];
  }
  const series = frame.fields.filter((field) => field !== time && [FieldType.number, FieldType.string, FieldType.boolean].includes(field.type) && !field.config.custom?.hideFrom?.viz);
  const to = timeRange.to.valueOf();
  return series.map((field) => {
    const parts = [];
    let open = null;
    field.values.forEach((value, row) => {
      const shown = value === null || value === undefined ? null : field.display(value);
      const at = time.values[row];
      const same = open && shown && merges && formattedValueToString(open.shown) === formattedValueToString(shown) && open.shown.color === shown.color;
      if (value === undefined && field.config.custom?.spanNulls) {
        return;
      }
      if (same || (shown === null && field.config.custom?.spanNulls === true)) {
        return;
      }
      if (open) {
        parts.push({ ...open, to: at });
      }
      open = shown && { from: at, row, shown };
    });
    if (open) {
      parts.push({ ...open, to });
    }
    return { field, name: getFieldDisplayName(field, frame, frames), parts };
  });
}

function ticks(from, to, width, timeZone) {
  const most = Math.max(2, Math.floor(width / 90));
  const step = STEPS.find((each) => (to - from) / each <= most) ?? STEPS.at(-1);
  const format = step >= DAY ? 'MM-DD' : to - from > DAY ? 'MM-DD HH:mm' : 'HH:mm';
  const midnight = (timeZone === 'utc' ? toUtc(from) : dateTimeForTimeZone(timeZone, from)).startOf('day').valueOf();
  const found = [];
  for (let time = midnight; time <= to; time += step) {
    const label = dateTimeFormat(time, { timeZone, format });
    const room = ((to - time) / (to - from)) * width + 8;
    if (time >= from && room > measureText(label, 12).width / 2) {
      found.push({ time, label });
    }
  }
  return found;
}

function cut(name, width) {
  let shown = name;
  while (shown.length > 2 && measureText(shown, 12).width > width) {
    shown = `${shown.slice(0, shown.endsWith('…') ? -2 : -1)}…`;
  }
  return shown;
}
