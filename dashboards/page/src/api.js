// Questions to the server of the page.

export class Refused extends Error {}

async function asked(path, options) {
  const answer = await fetch(path, options);
  const content = await answer.json();
  if (!answer.ok) {
    throw new Refused(content.error ?? `HTTP ${answer.status}`);
  }
  return content;
}

function post(path, content, signal) {
  return asked(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(content), signal });
}

const place = (language, uid) => `/api/dashboards/${encodeURIComponent(language)}/${encodeURIComponent(uid)}`;

export const about = () => asked('/api/page');
export const dashboard = (language, uid) => asked(place(language, uid));
export const variables = (language, uid, content, signal) => post(`${place(language, uid)}/variables`, content, signal);
export const panel = (language, uid, id, content, signal) => post(`${place(language, uid)}/panels/${id}`, content, signal);
