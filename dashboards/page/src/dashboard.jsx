// One dashboard: variables, links, range and refresh above, and its panels in Grafana's grid of 24 columns.
import { dateMath, dateTime, dateTimeFormat, isDateTime, rangeUtil, renderMarkdown } from '@grafana/data';
import { Combobox, Icon, MultiCombobox, RefreshPicker, TimeRangePicker } from '@grafana/ui';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { dashboard as load, variables as choose } from './api.js';
import { ALL, rangeParameters, replacer, variableParameters } from './interpolate.js';
import { Panel } from './panel.jsx';
import { quickRanges, text } from './texts.js';

const [COLUMNS, ROW, GAP, NARROW] = [24, 30, 8, 769];
const RECENT = { from: 'now-6h', to: 'now' };
const INTERVALS = ['5s', '10s', '30s', '1m', '5m', '15m', '30m', '1h'];

export function Dashboard({ language, uid, place, navigate, about, onTitle }) {
  const [found, setFound] = useState(null);
  const [error, setError] = useState(null);
  useEffect(() => {
    let live = true;
    setFound(null);
    setError(null);
    load(language, uid)
      .then((content) => live && setFound({ ...content, uid }))
      .catch((reason) => live && setError(reason.message));
    return () => {
      live = false;
    };
  }, [language, uid]);
  useEffect(() => {
    onTitle(found?.dashboard.title ?? '');
  }, [found, onTitle]);
  if (error) {
    return <div className="kw-message" role="alert">{`${text('unknown', { uid })} (${error})`}</div>;
  }
  return found && found.uid === uid ? <Loaded key={`${found.language}/${uid}`} found={found} place={place} navigate={navigate} about={about} /> : <div className="kw-message">{text('loading')}</div>;
}

function Loaded({ found, place, navigate, about }) {
  const { dashboard, language, uid } = found;
  const [turn, setTurn] = useState(0);
  const [zone, setZone] = useState(dashboard.timezone || 'browser');
  const [chosen, setChosen] = useState(null);
  const [failure, setFailure] = useState(null);
  const search = useMemo(() => new URLSearchParams(place.search), [place.search]);
  const wanted = useMemo(() => ({ from: bound(search.get('from') ?? dashboard.time?.from ?? 'now-6h'), to: bound(search.get('to') ?? dashboard.time?.to ?? 'now') }), [search, dashboard]);
  const asked = useMemo(() => rangeUtil.convertRawToRange(wanted, zone), [wanted, zone, turn]);
  const ascends = asked.from?.valueOf() <= asked.to?.valueOf();
  const raw = ascends ? wanted : RECENT;
  const range = useMemo(() => (ascends ? asked : rangeUtil.convertRawToRange(RECENT, zone)), [asked, ascends, zone]);
  const given = useMemo(() => givenBy(search), [search]);
  const refresh = search.get('refresh') ?? (typeof dashboard.refresh === 'string' ? dashboard.refresh : '');

  const change = useCallback(
    (changes, { replace = false } = {}) => {
      const next = new URLSearchParams(window.location.search);
      for (const [key, values] of Object.entries(changes)) {
        next.delete(key);
        [values].flat().filter((each) => each !== null && each !== undefined).forEach((each) => next.append(key, each));
      }
      navigate(`${window.location.pathname}?${next}`, { replace });
    },
    [navigate]
  );

  // Variables: their options and what is chosen, asked again whenever the link, the range or a value changes.
  const key = JSON.stringify([given, range.from.valueOf(), range.to.valueOf()]);
  useEffect(() => {
    const ending = new AbortController();
    choose(language, uid, { from: range.from.valueOf(), to: range.to.valueOf(), values: given }, ending.signal)
      .then(({ variables }) => {
        setFailure(null);
        setChosen((before) => (JSON.stringify(before) === JSON.stringify(variables) ? before : variables));
      })
      .catch((reason) => reason.name !== 'AbortError' && setFailure(reason.message));
    return () => ending.abort();
  }, [key, language, uid]);

  useEffect(() => {
    const every = refresh && /^\d+[smhd]$/.test(refresh) ? rangeUtil.intervalToMs(refresh) : 0;
    if (!every) {
      return undefined;
    }
    const timer = setInterval(() => document.visibilityState === 'visible' && setTurn((before) => before + 1), every);
    return () => clearInterval(timer);
  }, [refresh]);

  const variables = useMemo(() => named(dashboard, chosen), [dashboard, chosen]);
  const values = useMemo(() => chosen && Object.fromEntries(chosen.map((each) => [each.name, each.values])), [chosen]);
  const replaceVariables = useMemo(() => replacer({ variables, range, raw, uid, title: dashboard.title, timeZone: zone }), [variables, range, raw, uid, dashboard, zone]);
  const setRange = useCallback((next) => change({ from: end(next.raw.from), to: end(next.raw.to) }), [change]);
  const onZoom = useCallback(({ from, to }) => change({ from: Math.round(from), to: Math.round(to) }), [change]);
  const page = useMemo(
    () => ({ language, uid, values, range, raw, turn, timeZone: zone, replaceVariables, onZoom, sync: dashboard.graphTooltip ?? 0 }),
    [language, uid, values, range, raw, turn, zone, replaceVariables, onZoom, dashboard]
  );
  const faults = faultsOf(ascends, chosen);

  return (
    <>
      <div className="kw-controls">
        <div className="kw-variables">
          {(dashboard.templating?.list ?? []).filter(({ hide, type }) => hide !== 2 && type !== 'constant' && type !== 'datasource').map((variable) => (
            <Variable key={variable.name} variable={variable} state={chosen?.find(({ name }) => name === variable.name)} onChange={(next) => change({ [`var-${variable.name}`]: next })} />
          ))}
          <Links links={dashboard.links} dashboards={about.dashboards[language] ?? Object.values(about.dashboards)[0] ?? []} variables={variables} raw={raw} replaceVariables={replaceVariables} uid={uid} />
        </div>
        {!dashboard.timepicker?.hidden && (
          <div className="kw-times">
            <TimeRangePicker
              value={range}
              timeZone={zone}
              quickRanges={quickRanges()}
              onChange={setRange}
              onChangeTimeZone={setZone}
              onMoveBackward={() => setRange(moved(range, -1))}
              onMoveForward={() => setRange(moved(range, 1))}
              onZoom={() => setRange(widened(range))}
              isOnCanvas={true}
            />
            <RefreshPicker value={refresh} onRefresh={() => setTurn((before) => before + 1)} onIntervalChanged={(next) => change({ refresh: next })} intervals={dashboard.timepicker?.refresh_intervals ?? INTERVALS} isOnCanvas={true} />
          </div>
        )}
      </div>
      {dashboard.description && <div className="kw-description" dangerouslySetInnerHTML={{ __html: renderMarkdown(replaceVariables(dashboard.description)) }} />}
      {about.ended && <div className="kw-note"><Icon name="clock-nine" /> {text('ended', { time: dateTimeFormat(about.ended, { timeZone: zone, format: 'YYYY-MM-DD HH:mm' }) })}</div>}
      {faults.map((fault) => <div key={fault} className="kw-note kw-warning" role="alert"><Icon name="exclamation-triangle" /> {fault}</div>)}
      {isAnnotated(dashboard) && <div className="kw-note kw-warning" role="note"><Icon name="exclamation-triangle" /> {`${text('notHonoured')}: annotations`}</div>}
      {failure ? <div className="kw-box kw-box-error" role="alert"><b>{text('failed')}</b><span>{failure}</span></div> : <Grid dashboard={dashboard} page={page} />}
    </>
  );
}

function Variable({ variable, state, onChange }) {
  const label = variable.label || variable.name;
  const options = useMemo(() => {
    const found = (state?.options ?? []).map(({ text: shown, value }) => ({ label: shown, value }));
    return variable.includeAll ? [{ label: text('all'), value: ALL }, ...found] : found;
  }, [state, variable]);
  if (!state) {
    return null;
  }
  const id = `var-${variable.name}`;
  return (
    <div className="kw-variable">
      {variable.hide !== 1 && <label htmlFor={id}>{label}</label>}
      {variable.multi ? (
        <MultiCombobox id={id} options={options} value={state.values} width="auto" minWidth={16} maxWidth={40} onChange={(picked) => onChange(several(picked.map(({ value }) => value), state.values))} />
      ) : (
        <Combobox id={id} options={options} value={state.values[0] ?? null} width="auto" minWidth={12} maxWidth={40} onChange={({ value }) => onChange(value)} />
      )}
    </div>
  );
}

// All stands alone: whoever picks it drops the others, and whoever picks another drops it.
function several(picked, before) {
  if (picked.includes(ALL) && !before.includes(ALL)) {
    return [ALL];
  }
  const others = picked.filter((each) => each !== ALL);
  return others.length ? others : picked;
}

function Links({ links = [], dashboards, variables, raw, replaceVariables, uid }) {
  const url = (base, link) => {
    const parts = [link.keepTime && rangeParameters(raw), link.includeVars && variableParameters(variables)].filter(Boolean);
    return parts.length ? `${base}${base.includes('?') ? '&' : '?'}${parts.join('&')}` : base;
  };
  const made = (links ?? []).flatMap((link, index) => {
    if (link.type === 'dashboards') {
      const tagged = dashboards.filter((each) => each.uid !== uid && (link.tags ?? []).every((tag) => each.tags.includes(tag)));
      return tagged.map((each) => <LinkButton key={`${index}-${each.uid}`} href={url(`/d/${each.uid}`, link)} title={each.title} icon="apps" />);
    }
    return <LinkButton key={index} href={url(replaceVariables(link.url ?? '', undefined, 'uriencode'), link)} title={replaceVariables(link.title ?? '')} tooltip={replaceVariables(link.tooltip ?? '')} target={link.targetBlank ? '_blank' : undefined} icon="external-link-alt" />;
  });
  return made.length > 0 && <nav className="kw-links">{made}</nav>;
}

function LinkButton({ href, title, tooltip, target, icon }) {
  return (
    <a className="kw-link" href={href} target={target} rel={target ? 'noreferrer' : undefined} title={tooltip}>
      <Icon name={icon} size="sm" /> {title}
    </a>
  );
}

// Panels in sections: what stands above the first row, and each row with its panels, open or closed.
function Grid({ dashboard, page }) {
  const sections = useMemo(() => sectionsOf(dashboard.panels), [dashboard]);
  const [closed, setClosed] = useState(() => new Set(sections.filter(({ row }) => row?.collapsed).map(({ row }) => row.id ?? row.title)));
  const [ref, width] = useWidth();
  const visible = sections.filter(({ row }) => !row || !closed.has(row.id ?? row.title));
  const ids = visible.flatMap(({ panels }) => panels.map(({ id }) => id));
  const onDrawn = useDrawn(ids, page.values !== null);
  const narrow = width < NARROW;
  const column = (width - GAP * (COLUMNS - 1)) / COLUMNS;
  const toggle = (row) =>
    setClosed((before) => {
      const after = new Set(before);
      if (!after.delete(row.id ?? row.title)) {
        after.add(row.id ?? row.title);
      }
      return after;
    });
  return (
    <div ref={ref} className="kw-grid-outer">
      {width > 0 &&
        sections.map(({ row, panels }, index) => {
          const isClosed = row && closed.has(row.id ?? row.title);
          const top = Math.min(...panels.map(({ gridPos }) => gridPos.y));
          return (
            <section key={row?.id ?? index}>
              {row && (
                <button type="button" className="kw-row" aria-expanded={!isClosed} onClick={() => toggle(row)}>
                  <Icon name={isClosed ? 'angle-right' : 'angle-down'} /> {page.replaceVariables(row.title ?? '')}
                </button>
              )}
              {!isClosed && (
                <div className={narrow ? 'kw-grid kw-grid-narrow' : 'kw-grid'}>
                  {panels.map((panel) => {
                    const { x, y, w, h } = panel.gridPos;
                    const height = h * ROW + (h - 1) * GAP;
                    return (
                      <div key={panel.id} className="kw-cell" style={narrow ? { height } : { gridColumn: `${x + 1} / span ${w}`, gridRow: `${y - top + 1} / span ${h}` }}>
                        <Panel panel={panel} page={page} width={Math.floor(narrow ? width : w * column + (w - 1) * GAP)} height={height} onDrawn={onDrawn} />
                      </div>
                    );
                  })}
                </div>
              )}
            </section>
          );
        })}
    </div>
  );
}

function sectionsOf(panels) {
  const sorted = panels.filter(({ gridPos }) => gridPos).sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x);
  const sections = [{ row: null, panels: [] }];
  for (const panel of sorted) {
    if (panel.type === 'row') {
      sections.push({ row: panel, panels: [...(panel.panels ?? [])] });
    } else {
      sections.at(-1).panels.push(panel);
    }
  }
  return sections.filter(({ row, panels: inside }) => row || inside.length);
}

// Tells when every visible panel is drawn for the first time: `data-drawn` of the document, and a mark for measurements.
function useDrawn(ids, isChosen) {
  const drawn = useRef(new Map());
  const wanted = useRef(ids);
  wanted.current = ids;
  const [count, setCount] = useState(0);
  const onDrawn = useCallback((id, turn) => {
    drawn.current.set(id, turn);
    setCount((before) => before + 1);
  }, []);
  useEffect(() => {
    if (!isChosen || !wanted.current.every((id) => drawn.current.has(id))) {
      return undefined;
    }
    let live = true;
    document.fonts.ready.then(() => requestAnimationFrame(() => requestAnimationFrame(() => {
      if (live) {
        document.documentElement.dataset.drawn = 'true';
        performance.mark('kilowatch-drawn');
      }
    })));
    return () => {
      live = false;
    };
  }, [count, isChosen, ids.join()]);
  useEffect(() => () => delete document.documentElement.dataset.drawn, []);
  return onDrawn;
}

function useWidth() {
  const ref = useRef(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setWidth(ref.current?.clientWidth ?? 0);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}

function named(dashboard, chosen) {
  const kinds = Object.fromEntries((dashboard.templating?.list ?? []).map((each) => [each.name, each]));
  return Object.fromEntries((chosen ?? []).map((each) => [each.name, { ...each, multi: kinds[each.name]?.multi ?? false }]));
}

// What is shown is not what the link asked for.
function faultsOf(ascends, chosen) {
  const replaced = (chosen ?? []).filter((each) => each.replaced).map(({ name }) => text('replaced', { name }));
  return ascends ? replaced : [text('backwards'), ...replaced];
}

function isAnnotated(dashboard) {
  return (dashboard.annotations?.list ?? []).some(({ builtIn, enable }) => !builtIn && enable);
}

function givenBy(search) {
  const given = {};
  for (const [key, value] of search) {
    if (key.startsWith('var-')) {
      (given[key.slice(4)] ??= []).push(value === 'All' ? ALL : value);
    }
  }
  return given;
}

// An end of the range: relative such as now-7d, or a moment in milliseconds or ISO 8601.
function bound(given) {
  const value = String(given);
  if (dateMath.isMathString(value) || value.startsWith('now')) {
    return value;
  }
  return /^\d{8,}$/.test(value) ? dateTime(Number(value)) : dateTime(value);
}

const end = (each) => (isDateTime(each) ? each.valueOf() : each);

function moved(range, direction) {
  const half = ((range.to.valueOf() - range.from.valueOf()) / 2) * direction;
  return absolute(range.from.valueOf() + half, range.to.valueOf() + half);
}

function widened(range) {
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const half = Math.max((to - from) / 2, 15e3);
  return absolute(from - half, to + half);
}

function absolute(from, to) {
  const ends = { from: dateTime(Math.round(from)), to: dateTime(Math.round(to)) };
  return { ...ends, raw: ends };
}
