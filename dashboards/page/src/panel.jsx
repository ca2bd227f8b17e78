// One panel: asks for its frames, makes Grafana's fields of them, and draws it, or says why not.
import { applyFieldOverrides, cacheFieldDisplayNames, dataFrameFromJSON, dateMath, dateTime, EventBusSrv, LoadingState, rangeUtil, renderMarkdown, transformDataFrame } from '@grafana/data';
import { Icon, PanelChrome, PanelContextProvider, SeriesVisibilityChangeMode, Tooltip, useTheme2 } from '@grafana/ui';
import { Component, useEffect, useMemo, useRef, useState } from 'react';
import { lastValueFrom } from 'rxjs';
import { panel as ask } from './api.js';
import { fieldConfigOf, refusal, registryOf, unknownParts } from './grafana.js';
import { BarGaugePanel, GaugePanel, StatPanel } from './panels/single.jsx';
import { StateTimelinePanel } from './panels/statetimeline.jsx';
import { TablePanel } from './panels/table.jsx';
import { TimeSeriesPanel } from './panels/timeseries.jsx';
import { text } from './texts.js';

const DRAWN_BY = { timeseries: TimeSeriesPanel, stat: StatPanel, gauge: GaugePanel, bargauge: BarGaugePanel, table: TablePanel, 'state-timeline': StateTimelinePanel };
const bus = new EventBusSrv();

export function Panel({ panel, page, width, height, onDrawn }) {
  const why = useMemo(() => refusal(panel), [panel]);
  const { range, info } = useMemo(() => ownRange(panel, page), [panel, page.range, page.raw]);
  const replaceVariables = page.replaceVariables;
  const answer = useFrames(panel, page, range, width, why);
  const title = replaceVariables(panel.title ?? '');
  const unknown = useMemo(() => (why ? [] : unknownParts(panel)), [panel, why]);

  useEffect(() => {
    if (why || answer.settled) {
      onDrawn(panel.id, answer.turn);
    }
  }, [why, answer.settled, answer.turn, onDrawn, panel.id]);

  const notices = [...unknown.map((part) => `${text('notHonoured')}: ${part}`), ...answer.notices];
  return (
    <PanelChrome
      title={title}
      description={panel.description ? () => renderMarkdown(replaceVariables(panel.description)) : ''}
      width={width}
      height={height}
      displayMode={panel.transparent ? 'transparent' : 'default'}
      loadingState={answer.loading && !why ? LoadingState.Loading : LoadingState.Done}
      padding={panel.type === 'stat' && !why && !answer.error ? 'none' : 'md'}
      hoverHeader={!title}
      titleItems={[
        info && <PanelChrome.TitleItem key="range"><Icon name="clock-nine" size="sm" /> {info}</PanelChrome.TitleItem>,
        <PanelLinks key="links" links={panel.links} replaceVariables={replaceVariables} />,
        notices.length > 0 && (
          <Tooltip key="notices" content={notices.join(' · ')}>
            <PanelChrome.TitleItem><Icon name="exclamation-triangle" /></PanelChrome.TitleItem>
          </Tooltip>
        ),
      ].filter(Boolean)}
    >
      {(innerWidth, innerHeight) => (
        <div data-panel={panel.id} data-settled={answer.settled || Boolean(why)} style={{ width: innerWidth, height: innerHeight }}>
          {why ? (
            <Box title={text('notDrawn')}>{why}</Box>
          ) : answer.error ? (
            <Box title={text('failed')} isError>{answer.error}</Box>
          ) : (
            answer.frames && (
              <Guard key={answer.turn}>
                <Content panel={panel} answer={answer} page={page} range={range} width={innerWidth} height={innerHeight} />
              </Guard>
            )
          )}
        </div>
      )}
    </PanelChrome>
  );
}

function Box({ title, children, isError = false }) {
  return (
    <div className={`kw-box${isError ? ' kw-box-error' : ''}`} role={isError ? 'alert' : 'note'}>
      <b>{title}</b>
      <span>{children}</span>
    </div>
  );
}

// What a component throws is told in the panel's place.
class Guard extends Component {
  state = { error: null };

  static getDerivedStateFromError(error) {
    return { error };
  }

  render() {
    return this.state.error ? <Box title={text('failed')} isError>{String(this.state.error.message ?? this.state.error)}</Box> : this.props.children;
  }
}

function PanelLinks({ links, replaceVariables }) {
  if (!links?.length) {
    return null;
  }
  return links.map(({ title, url, targetBlank }, index) => (
    <Tooltip key={index} content={replaceVariables(title ?? '') || text('openPanel')}>
      <PanelChrome.TitleItem href={replaceVariables(url ?? '', undefined, 'uriencode')} target={targetBlank ? '_blank' : undefined}>
        <Icon name="external-link-alt" size="md" />
      </PanelChrome.TitleItem>
    </Tooltip>
  ));
}

// Frames of a panel for what the page shows now; those of before stay until they are there.
function useFrames(panel, page, range, width, why) {
  const [state, setState] = useState({ frames: null, error: null, loading: true, settled: false, turn: 0, notices: [] });
  const points = Math.max(1, Math.floor(width));
  const key = JSON.stringify([page.language, page.uid, panel.id, range.from.valueOf(), range.to.valueOf(), page.values, page.turn]);
  const asked = useRef(points);
  asked.current = points;
  useEffect(() => {
    if (why || !page.values) {
      return undefined;
    }
    const ending = new AbortController();
    setState((before) => ({ ...before, loading: true, settled: false }));
    const settle = (found) => !ending.signal.aborted && setState((before) => ({ frames: null, error: null, notices: [], ...found, loading: false, settled: true, turn: before.turn + 1 }));
    ask(page.language, page.uid, panel.id, { from: range.from.valueOf(), to: range.to.valueOf(), points: asked.current, values: page.values }, ending.signal)
      .then(async ({ frames }) => {
        const read = frames.map((each) => dataFrameFromJSON(each));
        const notices = read.flatMap(({ meta }) => meta?.notices ?? []).map((notice) => notice.text);
        const transformed = await lastValueFrom(transformDataFrame(panel.transformations ?? [], read, { interpolate: page.replaceVariables }));
        settle({ frames: transformed, notices });
      })
      .catch((error) => error.name !== 'AbortError' && settle({ error: error.message }));
    return () => ending.abort();
  }, [key, panel, why]);
  return state;
}

function Content({ panel, answer, page, range, width, height }) {
  const theme = useTheme2();
  const [hidden, setHidden] = useState(() => new Set());
  const fieldConfig = useMemo(() => fieldConfigOf(panel), [panel]);
  const frames = useMemo(() => {
    const made = applyFieldOverrides({ data: answer.frames, fieldConfig, fieldConfigRegistry: registryOf(panel.type), replaceVariables: page.replaceVariables, theme, timeZone: page.timeZone });
    cacheFieldDisplayNames(made);
    return made;
  }, [answer.frames, fieldConfig, theme, page.replaceVariables, page.timeZone, panel.type]);
  const shown = useMemo(() => (hidden.size ? frames.map((frame) => hide(frame, hidden)) : frames), [frames, hidden]);
  const context = useMemo(
    () => ({
      eventsScope: 'global',
      eventBus: bus,
      sync: () => page.sync,
      onToggleSeriesVisibility: (label, mode) => setHidden((before) => toggled(before, label, mode, frames)),
      canAddAnnotations: () => false,
      canEditAnnotations: () => false,
      canDeleteAnnotations: () => false,
    }),
    [frames, page.sync]
  );
  const empty = !frames.some(({ fields }) => fields.some(({ values }) => values.length > 0));
  if (empty && panel.type !== 'stat' && panel.type !== 'gauge' && panel.type !== 'bargauge') {
    return <div className="kw-message">{page.replaceVariables(panel.fieldConfig?.defaults?.noValue ?? '') || text('noData')}</div>;
  }
  if (empty && !panel.fieldConfig?.defaults?.noValue) {
    return <div className="kw-message">{text('noData')}</div>;
  }
  const Drawn = DRAWN_BY[panel.type];
  return (
    <PanelContextProvider value={context}>
      <Drawn
        frames={shown}
        fieldConfig={fieldConfig}
        options={panel.options ?? {}}
        width={width}
        height={height}
        timeRange={range}
        timeZone={page.timeZone}
        replaceVariables={page.replaceVariables}
        renderCounter={answer.turn}
        onZoom={page.onZoom}
        sync={page.sync}
      />
    </PanelContextProvider>
  );
}

function hide(frame, hidden) {
  return {
    ...frame,
    fields: frame.fields.map((field) => {
      const name = field.state?.displayName ?? field.name;
      if (field.type === 'time' || !hidden.has(name)) {
        return field;
      }
      return { ...field, config: { ...field.config, custom: { ...field.config.custom, hideFrom: { ...field.config.custom?.hideFrom, viz: true } } } };
    }),
  };
}

// A click on a name of the legend shows that series alone, or all again; with Ctrl or Cmd it is hidden or shown.
function toggled(before, label, mode, frames) {
  const all = frames.flatMap(({ fields }) => fields.filter(({ type }) => type !== 'time').map((field) => field.state?.displayName ?? field.name));
  if (mode === SeriesVisibilityChangeMode.AppendToSelection) {
    const after = new Set(before);
    if (!after.delete(label)) {
      after.add(label);
    }
    return after;
  }
  const others = all.filter((each) => each !== label);
  const alone = !before.has(label) && others.every((each) => before.has(each)) && others.length > 0;
  return new Set(alone ? [] : others);
}

// The range of a panel that has one of its own (`timeFrom`), or is shifted (`timeShift`).
function ownRange(panel, page) {
  let { range } = page;
  const info = [];
  if (panel.timeFrom) {
    const raw = { from: `now-${panel.timeFrom}`, to: 'now' };
    range = { from: dateMath.toDateTime(raw.from, { timezone: page.timeZone }), to: dateMath.toDateTime(raw.to, { roundUp: true, timezone: page.timeZone }), raw };
    info.push(rangeUtil.describeTimeRange(raw));
  }
  if (panel.timeShift) {
    const by = rangeUtil.intervalToMs(panel.timeShift);
    const [from, to] = [dateTime(range.from.valueOf() - by), dateTime(range.to.valueOf() - by)];
    range = { from, to, raw: { from, to } };
    info.push(`−${panel.timeShift}`);
  }
  return { range, info: panel.hideTimeOverride ? '' : info.join(' ') };
}
