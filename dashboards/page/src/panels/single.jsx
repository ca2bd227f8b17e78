// Panels of single values: stat, bar gauge and gauge.
import { FieldColorModeId, formattedValueToString, getActiveThreshold, getDisplayValueAlignmentFactors, getFieldColorMode, getFieldDisplayValues, sortThresholds, ThresholdsMode, VizOrientation } from '@grafana/data';
import { BarGauge, BigValue, DataLinksContextMenu, useTheme2, VizRepeater } from '@grafana/ui';

const REDUCE = { calcs: ['lastNotNull'], values: false, fields: '' };

function valuesOf({ frames, fieldConfig, options, timeZone, replaceVariables, theme, sparkline, percentChange }) {
  const reduceOptions = { ...REDUCE, ...options.reduceOptions };
  return getFieldDisplayValues({ data: frames, fieldConfig, reduceOptions: { ...reduceOptions, calcs: reduceOptions.calcs?.length ? reduceOptions.calcs : REDUCE.calcs }, replaceVariables, theme, timeZone, sparkline, percentChange });
}

function Linked({ value, children }) {
  if (!value.hasLinks || !value.getLinks) {
    return children({});
  }
  return <DataLinksContextMenu links={value.getLinks}>{(api) => children(api)}</DataLinksContextMenu>;
}

function Repeated({ props, getValues, draw, spacing, autoGrid = false, ...sizes }) {
  return (
    <VizRepeater
      getValues={getValues}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={draw}
      width={props.width}
      height={props.height}
      source={props.frames}
      itemSpacing={spacing}
      autoGrid={autoGrid}
      renderCounter={props.renderCounter}
      orientation={props.options.orientation ?? VizOrientation.Auto}
      {...sizes}
    />
  );
}

export function StatPanel(props) {
  const theme = useTheme2();
  const { options, timeRange } = props;
  const graphMode = options.graphMode ?? 'area';
  const draw = ({ value, alignmentFactors, width, height, count }) => {
    const sparkline = value.sparkline && { ...value.sparkline, timeRange };
    return (
      <Linked value={value}>
        {({ openMenu, targetClassName }) => (
          <BigValue
            value={value.display}
            count={count}
            sparkline={sparkline}
            colorMode={options.colorMode ?? 'value'}
            graphMode={graphMode}
            justifyMode={options.justifyMode ?? 'auto'}
            textMode={textMode(options.textMode ?? 'auto', value)}
            alignmentFactors={alignmentFactors}
            text={options.text}
            width={width}
            height={height}
            theme={theme}
            onClick={openMenu}
            className={targetClassName}
            hasLinks={value.hasLinks}
            disableWideLayout={options.wideLayout === false}
            percentChangeColorMode={options.percentChangeColorMode}
          />
        )}
      </Linked>
    );
  };
  const getValues = () => valuesOf({ ...props, theme, sparkline: graphMode !== 'none', percentChange: options.showPercentChange ?? false }).map((value) => ({ ...value }));
  return <Repeated props={props} getValues={getValues} draw={draw} spacing={3} autoGrid={true} />;
}

// A display name of one value alone is shown only where the panel says so.
function textMode(mode, value) {
  return mode === 'auto' && value.field.displayName ? 'value_and_name' : mode;
}

export function BarGaugePanel(props) {
  const theme = useTheme2();
  const { options } = props;
  const manual = options.sizing === 'manual';
  const horizontal = orientationOf(props) === VizOrientation.Horizontal;
  const minVizHeight = manual ? (options.minVizHeight ?? 16) : 16;
  const draw = ({ value, alignmentFactors, width, height, orientation, count }) => {
    const { field, display, view, colIndex } = value;
    const processor = view && typeof colIndex === 'number' ? view.getFieldDisplayProcessor(colIndex) : undefined;
    const overflowing = horizontal && count * (minVizHeight + 8) > props.height;
    return (
      <Linked value={value}>
        {({ openMenu, targetClassName }) => (
          <BarGauge
            value={display}
            display={processor}
            field={field}
            text={options.text}
            width={width}
            height={height}
            orientation={orientation}
            theme={theme}
            itemSpacing={8}
            lcdCellWidth={8}
            displayMode={options.displayMode ?? 'gradient'}
            showUnfilled={options.showUnfilled ?? true}
            valueDisplayMode={options.valueMode ?? 'color'}
            namePlacement={options.namePlacement ?? 'auto'}
            alignmentFactors={alignmentFactors}
            onClick={openMenu}
            className={targetClassName}
            isOverflow={overflowing}
          />
        )}
      </Linked>
    );
  };
  const sizes = { minVizWidth: manual ? (options.minVizWidth ?? 8) : 8, minVizHeight, maxVizHeight: manual ? (options.maxVizHeight ?? 300) : 300 };
  return <Repeated props={props} getValues={() => valuesOf({ ...props, theme })} draw={draw} spacing={8} {...sizes} />;
}

function orientationOf({ options, width, height }) {
  const said = options.orientation ?? VizOrientation.Auto;
  return said === VizOrientation.Auto ? (width > height ? VizOrientation.Vertical : VizOrientation.Horizontal) : said;
}

export function GaugePanel(props) {
  const theme = useTheme2();
  const { options } = props;
  const draw = ({ value, width, height, count }) => (
    <Linked value={value}>
      {({ openMenu, targetClassName }) => (
        <Dial value={value} width={width} height={height} count={count} theme={theme} onClick={openMenu} className={targetClassName} markers={options.showThresholdMarkers ?? true} labels={options.showThresholdLabels ?? false} />
      )}
    </Linked>
  );
  return <Repeated props={props} getValues={() => valuesOf({ ...props, theme })} draw={draw} spacing={8} autoGrid={true} />;
}

const ARC = 1.5 * Math.PI;
const BEGIN = 0.75 * Math.PI;

// A dial: the value's arc within the outer arc of thresholds, as of min and max. @grafana/ui has none that works alone.
function Dial({ value, width, height, count, theme, onClick, className, markers, labels }) {
  const { field, display } = value;
  const [min, max] = [field.min ?? 0, field.max ?? 100];
  const title = count > 1 || field.displayName ? display.title : '';
  const below = title ? 22 : 0;
  const size = Math.max(40, Math.min(width, (height - below) * 1.15));
  const radius = size / 2 - (labels ? 22 : 6);
  const thick = radius * 0.22;
  const shown = formattedValueToString(display);
  const part = Math.min(1, Math.max(0, (display.numeric - min) / (max - min || 1)));
  const bands = bandsOf(field, min, max, theme);
  const font = Math.min(radius * 0.42, (radius * 2.1) / Math.max(3, widthOf(shown)));
  const middle = size / 2;
  return (
    <div className={className} onClick={onClick} style={{ width, height, display: 'flex', flexDirection: 'column', alignItems: 'center', justifyContent: 'center' }}>
      <svg width={size} height={size * 0.87} viewBox={`0 0 ${size} ${size * 0.87}`} role="img" aria-label={`${title} ${shown}`}>
        <path d={arc(middle, radius - 6, thick, 0, 1)} fill={theme.colors.background.secondary} />
        {Number.isFinite(display.numeric) && part > 0 && <path d={arc(middle, radius - 6, thick, 0, part)} fill={display.color} />}
        {markers && bands.map(({ from, to, color }, index) => <path key={index} d={arc(middle, radius, 4, from, to)} fill={color} />)}
        {labels && bands.slice(1).map(({ from, value: limit }, index) => {
          const angle = BEGIN + from * ARC;
          return (
            <text key={index} x={middle + Math.cos(angle) * (radius + 10)} y={middle + Math.sin(angle) * (radius + 10) + 4} textAnchor={Math.cos(angle) > 0.3 ? 'start' : Math.cos(angle) < -0.3 ? 'end' : 'middle'} fontSize={11} fill={theme.colors.text.secondary}>
              {limit}
            </text>
          );
        })}
        <text x={middle} y={middle + font * 0.35} textAnchor="middle" fontSize={font} fontWeight={500} fill={display.color ?? theme.colors.text.primary} style={{ fontFeatureSettings: '"tnum"' }}>
          {shown}
        </text>
      </svg>
      {title && <div className="kw-dial-title" style={{ maxWidth: width }}>{title}</div>}
    </div>
  );
}

// Chinese letters are twice as wide.
function widthOf(shown) {
  return [...shown].reduce((sum, letter) => sum + (letter.codePointAt(0) > 0x2e7f ? 1.9 : 1), 0);
}

function bandsOf(field, min, max, theme) {
  const thresholds = field.thresholds ?? { mode: ThresholdsMode.Absolute, steps: [] };
  if (field.color?.mode !== FieldColorModeId.Thresholds && !getFieldColorMode(field.color?.mode).isByValue) {
    return [];
  }
  const steps = sortThresholds([...thresholds.steps]);
  const place = (value) => Math.min(1, Math.max(0, thresholds.mode === ThresholdsMode.Percentage ? value / 100 : (value - min) / (max - min || 1)));
  const first = getActiveThreshold(thresholds.mode === ThresholdsMode.Percentage ? 0 : min, steps);
  const inside = [{ ...first, value: -Infinity }, ...steps.filter(({ value }) => place(value) > 0 && place(value) < 1)];
  return inside.map((step, index) => ({ from: index ? place(step.value) : 0, to: index + 1 < inside.length ? place(inside[index + 1].value) : 1, color: theme.visualization.getColorByName(step.color), value: step.value }));
}

function arc(middle, outer, thick, from, to) {
  const [a, b] = [BEGIN + from * ARC, BEGIN + to * ARC];
  const large = b - a > Math.PI ? 1 : 0;
  const point = (angle, radius) => `${middle + Math.cos(angle) * radius} ${middle + Math.sin(angle) * radius}`;
  const inner = Math.max(1, outer - thick);
  return `M ${point(a, outer)} A ${outer} ${outer} 0 ${large} 1 ${point(b, outer)} L ${point(b, inner)} A ${inner} ${inner} 0 ${large} 0 ${point(a, inner)} Z`;
}
