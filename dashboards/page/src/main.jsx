// The page: which dashboard, in which language and colours, at which moment.
import { createTheme } from '@grafana/data';
import { Combobox, GlobalStyles, PortalContainer, ThemeContext, ToolbarButton } from '@grafana/ui';
import moment from 'moment';
import { useCallback, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { about as ask } from './api.js';
import { Dashboard } from './dashboard.jsx';
import { prepare } from './grafana.js';
import './page.css';
import { speak, text } from './texts.js';

const FONTS = '"Inter", "Noto Sans CJK TC", "Noto Sans TC", "PingFang TC", "Microsoft JhengHei", "Helvetica Neue", Arial, sans-serif';
const HOUR = 3600e3;

function kept(name, fallback) {
  const said = new URLSearchParams(window.location.search).get(name);
  if (said) {
    localStorage.setItem(`kilowatch.${name}`, said);
  }
  return said ?? localStorage.getItem(`kilowatch.${name}`) ?? fallback;
}

function App({ about, language, mode }) {
  const [place, setPlace] = useState(() => ({ pathname: window.location.pathname, search: window.location.search }));
  const [title, setTitle] = useState('');
  const dashboards = about.dashboards[language];
  const uid = /^\/d\/([^/]+)/.exec(place.pathname)?.[1] ?? (dashboards.find((each) => each.uid.includes('overview')) ?? dashboards[0]).uid;

  const navigate = useCallback((url, { replace = false } = {}) => {
    window.history[replace ? 'replaceState' : 'pushState'](null, '', url);
    setPlace({ pathname: window.location.pathname, search: window.location.search });
  }, []);
  useEffect(() => {
    const moved = () => setPlace({ pathname: window.location.pathname, search: window.location.search });
    window.addEventListener('popstate', moved);
    const clicked = (event) => followed(event, navigate);
    document.addEventListener('click', clicked);
    return () => {
      window.removeEventListener('popstate', moved);
      document.removeEventListener('click', clicked);
    };
  }, [navigate]);
  // A link to a dashboard of another language changes the language of the page.
  useEffect(() => {
    const spoken = languageOf(about, uid);
    if (spoken && spoken !== language && !dashboards.some((each) => each.uid === uid)) {
      changed('language', spoken, uid);
    }
  }, [about, uid, language, dashboards]);
  useEffect(() => {
    document.title = title ? `${title} · Kilowatch` : 'Kilowatch';
  }, [title]);

  const other = about.languages.find((each) => each !== language);
  return (
    <>
      <header className="kw-header">
        <a className="kw-name" href="/">Kilowatch</a>
        <div className="kw-choice">
          <Combobox aria-labelledby="kw-dashboards" options={dashboards.map((each) => ({ value: each.uid, label: each.title, description: each.description || undefined }))} value={dashboards.some((each) => each.uid === uid) ? uid : null} onChange={({ value }) => navigate(`/d/${value}${carried()}`)} prefixIcon="apps" />
        </div>
        <span className="kw-grow" />
        <span className="kw-drawn" title={text('drawnWith')}>{text('drawnWith')}</span>
        {other && <ToolbarButton onClick={() => changed('language', other, twin(about, other, uid))}>{text('language')}</ToolbarButton>}
        <ToolbarButton tooltip={text('theme')} onClick={() => changed('theme', mode === 'dark' ? 'light' : 'dark')}>{text(mode === 'dark' ? 'light' : 'dark')}</ToolbarButton>
      </header>
      <main className="kw-main">
        <Dashboard language={language} uid={uid} place={place} navigate={navigate} about={about} onTitle={setTitle} />
      </main>
      <PortalContainer />
    </>
  );
}

// The range and the site go along to another dashboard, as they do where a link says so.
function carried() {
  const search = new URLSearchParams(window.location.search);
  const found = [...search].filter(([key]) => key === 'from' || key === 'to' || key === 'refresh' || key.startsWith('var-'));
  return found.length ? `?${new URLSearchParams(found)}` : '';
}

// Links within the page do not load it anew.
function followed(event, navigate) {
  const link = event.target.closest?.('a[href]');
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || (link.target && link.target !== '_self')) {
    return;
  }
  const url = new URL(link.href, window.location.href);
  if (url.origin === window.location.origin && (url.pathname === '/' || url.pathname.startsWith('/d/'))) {
    event.preventDefault();
    navigate(url.pathname + url.search);
  }
}

function languageOf(about, uid) {
  return Object.keys(about.dashboards).find((language) => about.dashboards[language].some((each) => each.uid === uid));
}

// The same dashboard in another language: of the same uid, or of a uid that differs in the language at its end.
function twin(about, language, uid) {
  const stem = (each) => about.languages.reduce((rest, spoken) => rest.replace(new RegExp(`[-_]${spoken}$`), ''), each);
  return about.dashboards[language].find((each) => each.uid === uid || stem(each.uid) === stem(uid))?.uid;
}

function changed(name, value, uid) {
  localStorage.setItem(`kilowatch.${name}`, value);
  const search = new URLSearchParams(window.location.search);
  search.delete(name);
  const path = uid ? `/d/${uid}` : name === 'language' ? '/' : window.location.pathname;
  window.location.assign(`${path}${search.size ? `?${search}` : ''}`);
}

// Of a store at rest, its end is now.
function turnClock(about) {
  if (about.ends_ms === null) {
    return about;
  }
  const now = Math.ceil((about.ends_ms + 1) / HOUR) * HOUR;
  const shift = Date.now() - now;
  moment.now = () => Date.now() - shift;
  return { ...about, ended: now };
}

async function begin() {
  const found = await ask();
  const spoken = found.languages.length ? found.languages : Object.keys(found.dashboards);
  const preferred = navigator.language.startsWith('zh') ? 'zh' : 'en';
  const linked = languageOf(found, /^\/d\/([^/]+)/.exec(window.location.pathname)?.[1]);
  const wanted = kept('language', linked ?? preferred);
  const language = spoken.includes(wanted) ? wanted : (spoken.find((each) => each === 'en') ?? spoken[0]);
  const mode = kept('theme', window.matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark');
  await speak(language);
  prepare({ getVariablesUrlParams: () => ({}), getTimeRangeForUrl: () => ({}) });
  const theme = createTheme({ colors: { mode: mode === 'light' ? 'light' : 'dark' }, typography: { fontFamily: FONTS } });
  document.body.className = `theme-${mode}`;
  const style = document.documentElement.style;
  const { colors } = theme;
  for (const [name, value] of Object.entries({ canvas: colors.background.canvas, primary: colors.background.primary, secondary: colors.background.secondary, text: colors.text.primary, weak: colors.text.secondary, border: colors.border.weak, error: colors.error.border, warning: colors.warning.text, link: colors.text.link, font: FONTS })) {
    style.setProperty(`--kw-${name}`, value);
  }
  createRoot(document.getElementById('page')).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <App about={turnClock(found)} language={language} mode={mode} />
    </ThemeContext.Provider>
  );
}

begin().catch((error) => {
  const place = document.getElementById('page');
  place.textContent = error.message;
  place.setAttribute('role', 'alert');
});
