// Variables in titles, texts and links: `$site`, `${site:queryparam}`, `${__field.labels.point}`, `${__data.fields.day}`.
import { escapeRegExp } from 'lodash';
import { dateTime, formattedValueToString, getFieldDisplayName, getFieldDisplayValuesProxy, textUtil } from '@grafana/data';

const REFERENCE = /\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\${(\w+)(?:\.([^:^}]+))?(?::([^}]+))?}/g;
export const ALL = '$__all';

const strictly = (encoded) => encoded.replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
export const parameter = (name, value) => `${encodeURIComponent(name)}=${strictly(encodeURIComponent(value))}`;

const FORMATS = {
  raw: (value) => String(value),
  csv: (value) => [value].flat().join(','),
  join: (value, [separator]) => [value].flat().join(separator ?? ','),
  pipe: (value) => [value].flat().join('|'),
  glob: (value) => (Array.isArray(value) && value.length > 1 ? `{${value.join(',')}}` : String(value)),
  json: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
  html: (value) => textUtil.escapeHtml([value].flat().join(', ')),
  regex: (value) => [value].flat().map(escapeRegExp).join('|'),
  percentencode: (value) => strictly(encodeURIComponent(Array.isArray(value) ? `{${value.join(',')}}` : value)),
  uriencode: (value) => strictly(encodeURI(Array.isArray(value) ? `{${value.join(',')}}` : value)),
  singlequote: (value) => [value].flat().map((each) => `'${String(each).replaceAll("'", "\\'")}'`).join(','),
  doublequote: (value) => [value].flat().map((each) => `"${String(each).replaceAll('"', '\\"')}"`).join(','),
  sqlstring: (value) => [value].flat().map((each) => `'${String(each).replaceAll("'", "''")}'`).join(','),
  date: (value, [form, ...more]) => {
    const moment = dateTime(Number(value));
    if (!form || form === 'iso') {
      return moment.toISOString();
    }
    return form === 'seconds' ? String(Math.round(value / 1000)) : form === 'ms' ? String(value) : moment.format([form, ...more].join(':'));
  },
};

// Makes the function that Grafana's components call `replaceVariables`.
// `scope`: variables (name -> {values, text, options, multi}), range, raw (the range as it was chosen), uid and title.
export function replacer(scope) {
  return (target, scoped, format) => {
    if (typeof target !== 'string' || !(target.includes('$') || target.includes('[['))) {
      return target ?? '';
    }
    return target.replace(REFERENCE, (match, plain, bracketed, bracketedForm, braced, path, bracedForm) => {
      const name = plain ?? bracketed ?? braced;
      const form = bracketedForm ?? bracedForm;
      const found = valueOf(name, path, form, scope, scoped);
      if (found === undefined) {
        return match;
      }
      if (found !== null && found.ready !== undefined) {
        return found.ready;
      }
      const [kind, ...rest] = (form ?? format ?? 'glob').split(':');
      return (FORMATS[kind] ?? FORMATS.glob)(found ?? '', rest);
    });
  };
}

function valueOf(name, path, form, scope, scoped) {
  const own = scope.variables[name];
  if (own) {
    if (form === 'queryparam') {
      return { ready: own.values.map((each) => parameter(`var-${name}`, each)).join('&') };
    }
    if (form === 'text' || path === 'text') {
      return { ready: own.text };
    }
    const values = own.values[0] === ALL ? own.options.map(({ value }) => value) : own.values;
    return own.multi || own.values[0] === ALL ? values : (values[0] ?? '');
  }
  switch (name) {
    case '__from':
      return scope.range.from.valueOf();
    case '__to':
      return scope.range.to.valueOf();
    case '__url_time_range':
      return { ready: rangeParameters(scope.raw) };
    case '__all_variables':
      return { ready: variableParameters(scope.variables) };
    case '__url':
      return path === 'path' ? window.location.pathname : path === 'params' ? { ready: window.location.search } : window.location.pathname + window.location.search;
    case '__timezone':
      return scope.timeZone === 'browser' ? Intl.DateTimeFormat().resolvedOptions().timeZone : scope.timeZone;
    case '__dashboard':
      return path === 'uid' ? scope.uid : scope.title;
    case '__series':
    case '__field':
    case '__value':
    case '__data':
      return dataValue(name, path, scoped?.__dataContext?.value);
    default:
      return scoped?.[name]?.value;
  }
}

// What a link knows of the point or cell that it belongs to.
function dataValue(name, path, context) {
  if (!context) {
    return undefined;
  }
  const { field, frame, data, rowIndex, calculatedValue } = context;
  if (name === '__series' || (name === '__field' && (path === 'displayName' || path === 'name' || !path))) {
    return path === 'name' && name === '__field' ? field.name : getFieldDisplayName(field, frame, data);
  }
  if (name === '__field') {
    const label = /^labels(?:\.(.+)|\["?(.+?)"?\])?$/.exec(path ?? '');
    if (!label) {
      return '';
    }
    const key = label[1] ?? label[2];
    return key ? (field.labels?.[key] ?? '') : Object.entries(field.labels ?? {}).map(([each, value]) => `${each}="${value}"`).join(', ');
  }
  if (name === '__data') {
    const found = /^fields(?:\.([^.[]+)|\["?(.+?)"?\])(?:\.(text|numeric))?$/.exec(path ?? '');
    if (!found || rowIndex === undefined) {
      return path === 'refId' ? (frame.refId ?? '') : path === 'name' ? (frame.name ?? '') : '';
    }
    const value = getFieldDisplayValuesProxy({ frame, rowIndex })[found[1] ?? found[2]];
    return value === undefined ? '' : found[3] === 'numeric' ? value.numeric : found[3] === 'text' ? value.text : rawOf(frame, found[1] ?? found[2], rowIndex, value);
  }
  const raw = calculatedValue ? calculatedValue.numeric : field.values[rowIndex];
  switch (path) {
    case 'time':
      return frame.fields.find(({ type }) => type === 'time')?.values[rowIndex] ?? '';
    case 'text':
      return calculatedValue ? formattedValueToString(calculatedValue) : formattedValueToString(field.display(raw));
    case 'calc':
      return calculatedValue?.title ?? '';
    case 'numeric':
      return field.display(raw).numeric;
    default:
      return raw ?? '';
  }
}

// Text stays as it is in the frame: a value mapping changes what is shown, not where a link leads.
function rawOf(frame, key, row, shown) {
  const field = frame.fields.find(({ name }) => name === key) ?? frame.fields[Number(key)];
  return field?.type === 'string' ? (field.values[row] ?? '') : shown.toString();
}

export function rangeParameters(raw) {
  const end = (each) => (typeof each === 'string' ? each : String(each.valueOf()));
  return `${parameter('from', end(raw.from))}&${parameter('to', end(raw.to))}`;
}

export function variableParameters(variables) {
  return Object.entries(variables).flatMap(([name, { values }]) => values.map((each) => parameter(`var-${name}`, each))).join('&');
}
