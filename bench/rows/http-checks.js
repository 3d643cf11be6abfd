/** What load balancers ask over HTTP/1.1, each over connections that stay and over new ones: a Check in JSON, and the path with a code. */
import { wrk } from '../loads/programs.js';
import { beatbridge, nodeHttp, PEERS, SERVICE } from '../peers/peers.js';
import { costOf } from '../use.js';

const CHECK = '/grpc.health.v1.Health/Check';
const HEALTH = `/health/${SERVICE}`;
const BODY = JSON.stringify({ service: SERVICE });
const CONNECTIONS = 100;
const EACH_NEW = ['Connection: close'];

/** Bare answers are those of beatbridge, byte by byte. */
async function bareAnswers() {
  const peer = await beatbridge();
  try {
    const url = `http://127.0.0.1:${peer.httpPort}`;
    const check = await fetch(`${url}${CHECK}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: BODY });
    return { [CHECK]: await check.text(), [HEALTH]: await (await fetch(`${url}${HEALTH}`)).text() };
  } finally {
    await peer.process.end();
  }
}

const check =
  (headers) =>
  (peer, { seconds }) =>
    costOf(peer, () => {
      const load = { port: peer.httpPort, path: CHECK, script: 'check.lua', args: [BODY] };
      return wrk({ ...load, headers, connections: CONNECTIONS, seconds });
    });

const health =
  (headers) =>
  (peer, { seconds }) =>
    costOf(peer, () => wrk({ port: peer.httpPort, path: HEALTH, headers, connections: CONNECTIONS, seconds }));

const besideBare = [
  { figure: 'perSecond', peer: 'node:http', atLeast: 0.65 },
  { figure: 'cpuUs', peer: 'node:http' },
];
const WITH_HEALTH = ['beatbridge', 'node:http'];

export const httpChecks = {
  name: 'http-check',
  subjects: {
    beatbridge: () => beatbridge(),
    'node:http': async () => nodeHttp(await bareAnswers()),
    'connect-node': PEERS['connect-node'],
  },
  works: [
    {
      name: 'json',
      title: 'Check in JSON, kept alive',
      take: check([]),
      lines: [...besideBare, { figure: 'cpuUs', peer: 'connect-node' }],
    },
    { name: 'path', title: '`/health/NAME`, kept alive', of: WITH_HEALTH, take: health([]), lines: besideBare },
    {
      name: 'json-new',
      title: 'Check in JSON, a new connection each',
      of: WITH_HEALTH,
      take: check(EACH_NEW),
      lines: unwanted(besideBare),
    },
    {
      name: 'path-new',
      title: '`/health/NAME`, a new connection each',
      of: WITH_HEALTH,
      take: health(EACH_NEW),
      lines: unwanted(besideBare),
    },
  ],
};

/** The same, for information. */
function unwanted(lines) {
  return lines.map(({ figure, peer }) => ({ figure, peer }));
}
