// What stands in a tooltip: the time, one line a series, and links.
import { formattedValueToString } from '@grafana/data';
import { DataLinkButton, Portal, useTheme2 } from '@grafana/ui';

export function TooltipBox({ time, series, links = [], hasLinks = false }) {
  const theme = useTheme2();
  return (
    <div className="kw-tooltip">
      {time && <div className="kw-tooltip-time">{formattedValueToString(time)}</div>}
      {series.map(({ label, shown, isActive, color }, index) => (
        <div key={index} className="kw-tooltip-line" style={{ fontWeight: isActive && series.length > 1 ? theme.typography.fontWeightMedium : undefined }}>
          <i style={{ background: color ?? shown.color }} />
          <span>{label}</span>
          <b>{formattedValueToString(shown)}</b>
        </div>
      ))}
      {links.map((link, index) => (
        <DataLinkButton key={index} link={link} buttonProps={{ fill: 'text', size: 'sm' }} />
      ))}
      {hasLinks && !links.length && <div className="kw-tooltip-hint">↗</div>}
    </div>
  );
}

// A tooltip at the pointer, for what Grafana's own tooltip does not reach.
export function PointerTooltip({ at, children }) {
  if (!at) {
    return null;
  }
  const right = at.x > window.innerWidth / 2;
  const low = at.y > window.innerHeight * 0.7;
  return (
    <Portal>
      <div className="kw-pointer" style={{ [right ? 'right' : 'left']: right ? window.innerWidth - at.x + 12 : at.x + 12, [low ? 'bottom' : 'top']: low ? window.innerHeight - at.y + 12 : at.y + 12 }}>
        {children}
      </div>
    </Portal>
  );
}
