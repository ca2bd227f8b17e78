// A dashboard of Kilowatch in the types of @grafana/schema: six kinds of panels over one kind of data source.
import type {
  DashboardLink,
  Dashboard as AnyDashboard,
  FieldConfig,
  Panel as AnyPanel,
} from './node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen';
import type * as BarGauge from './node_modules/@grafana/schema/dist/types/raw/composable/bargauge/panelcfg/x/types.gen';
import type * as Gauge from './node_modules/@grafana/schema/dist/types/raw/composable/gauge/panelcfg/x/types.gen';
import type * as Stat from './node_modules/@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen';
import type * as StateTimeline from './node_modules/@grafana/schema/dist/types/raw/composable/statetimeline/panelcfg/x/types.gen';
import type * as Table from './node_modules/@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen';
import type * as TimeSeries from './node_modules/@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen';

type NoCustom = Record<string, never>;

/** The same under no name: every panel calls its own `Options`. */
type Unnamed<T> = {[K in keyof T]: T[K]};

interface DataSource {
  type: 'grafana-postgresql-datasource';
  uid: 'kilowatch';
}

interface Query {
  datasource: DataSource;
  editorMode: 'code';
  format: 'table' | 'time_series';
  rawQuery: true;
  rawSql: string;
  refId: string;
}

interface DataLink {
  targetBlank?: boolean;
  title: string;
  url: string;
}

interface Override {
  matcher: {id: string; options?: unknown};
  properties: Array<{id: string; value?: unknown}>;
}

interface Drawn<Type extends string, Options, Custom>
  extends Omit<AnyPanel, 'datasource' | 'fieldConfig' | 'options' | 'targets' | 'type'> {
  datasource: DataSource;
  fieldConfig: {
    defaults: Omit<FieldConfig, 'custom' | 'links'> & {custom?: Unnamed<Custom>; links?: DataLink[]};
    overrides: Override[];
  };
  options: Unnamed<Options>;
  targets: Query[];
  type: Type;
}

export type TimeSeriesPanel = Drawn<'timeseries', TimeSeries.Options, TimeSeries.FieldConfig>;
export type StatPanel = Drawn<'stat', Stat.Options, NoCustom>;
export type GaugePanel = Drawn<'gauge', Gauge.Options, NoCustom>;
export type BarGaugePanel = Drawn<'bargauge', BarGauge.Options, NoCustom>;
export type TablePanel = Drawn<'table', Table.Options, Table.FieldConfig>;
export type StateTimelinePanel = Drawn<'state-timeline', StateTimeline.Options, StateTimeline.FieldConfig>;

export interface Row {
  collapsed: false;
  gridPos: {h: number; w: number; x: number; y: number};
  id: number;
  panels: never[];
  title: string;
  type: 'row';
}

/** What an override may set: standard properties, and `custom.…` of each kind of panel. */
export interface Properties extends Omit<FieldConfig, 'custom' | 'links'> {
  links?: DataLink[];
}

export interface Dashboard extends Omit<AnyDashboard, 'panels' | 'links'> {
  links?: DashboardLink[];
  panels: Array<
    TimeSeriesPanel | StatPanel | GaugePanel | BarGaugePanel | TablePanel | StateTimelinePanel | Row
  >;
}
