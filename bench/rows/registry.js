/** A registry of 100,000 instances, ten to a service: their beats, new ones, and lists of ten. */
import { makeAll } from '../loads/http1.js';
import { wrk } from '../loads/programs.js';
import { LASTING } from '../peers/instances.js';
import { beatbridge, nodeHttp } from '../peers/peers.js';
import { rNacos } from '../peers/r-nacos.js';
import { costOf } from '../use.js';

const INSTANCES = 100_000;
const CONNECTIONS = 100;
/** Where the numbers of those begin that come and go. */
const NEW_FROM = 8_000_000;
const PATH = '/nacos/v1/ns/instance';

/** As the script of wrk numbers them. */
export function addressOf(i) {
  const ip = `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
  return `serviceName=com.shop.Service${Math.floor(i / 10)}&ip=${ip}&port=20880`;
}

/** So many, none of which falls silent while it is measured. */
export async function filled(peer, instances) {
  await makeAll(peer.httpPort, instances, (i) => `POST ${PATH}?${addressOf(i)}&${LASTING}`);
  await proveFilled(peer, instances - 1);
  return peer;
}

/** Programs that load a server look at little of what it answers: whether it knows what it is asked about is seen before. */
async function proveFilled({ httpPort }, last) {
  const url = `http://127.0.0.1:${httpPort}${PATH}`;
  const listed = await (await fetch(`${url}/list?${addressOf(last)}`)).json();
  if (listed.hosts.length !== 10) throw new Error(`${listed.hosts.length} hosts are listed of 10`);
  const beat = await (await fetch(`${url}/beat?${addressOf(last)}`, { method: 'PUT' })).json();
  if (beat.code !== 10_200) throw new Error(`a beat was answered with ${JSON.stringify(beat)}`);
}

/** What beatbridge answers, for whoever answers without finding out. */
export async function bareAnswers() {
  const peer = await filled(await beatbridge(), 10);
  try {
    const ask = async (method, path) => (await fetch(`http://127.0.0.1:${peer.httpPort}${path}`, { method })).text();
    return {
      [`${PATH}/beat`]: await ask('PUT', `${PATH}/beat?${addressOf(0)}`),
      [`${PATH}/list`]: await ask('GET', `${PATH}/list?serviceName=com.shop.Service0`),
      [PATH]: await ask('POST', `${PATH}?${addressOf(0)}&${LASTING}`),
    };
  } finally {
    await peer.process.end();
  }
}

/** One kind of call, each about another of so many instances. */
export const calls =
  (kind, instances) =>
  (peer, { seconds }) =>
    costOf(peer, () => {
      const load = { port: peer.httpPort, script: 'instances.lua', args: [kind, instances] };
      return wrk({ ...load, connections: CONNECTIONS, seconds });
    });

/** Instances that nobody knows yet. They are gone before anybody else is asked. */
const registrations = async (peer, { seconds, subject }) => {
  let made = 0;
  const figures = await costOf(peer, async () => {
    const args = ['register', NEW_FROM, NEW_FROM];
    const load = await wrk({ port: peer.httpPort, script: 'instances.lua', args, connections: CONNECTIONS, seconds });
    made = load.done;
    return load;
  });
  // Those for which wrk has not waited to be answered as well.
  const all = made + 2 * CONNECTIONS;
  if (subject !== 'node:http') await makeAll(peer.httpPort, all, (i) => `DELETE ${PATH}?${addressOf(NEW_FROM + i)}`);
  return figures;
};

export const registry = {
  name: 'registry',
  subjects: {
    beatbridge: async () => filled(await beatbridge(), INSTANCES),
    'node:http': async () => nodeHttp(await bareAnswers()),
    'r-nacos': async () => filled(await rNacos(), INSTANCES),
  },
  works: [
    {
      name: 'beat',
      title: 'beats of 100,000 instances',
      take: calls('beat', INSTANCES),
      lines: [
        { figure: 'perSecond', peer: 'node:http', atLeast: 0.8 },
        { figure: 'perCpuSecond', peer: 'r-nacos', atLeast: 1 },
        { figure: 'cpuUs', peer: 'node:http' },
      ],
    },
    {
      name: 'register',
      title: 'registrations of new instances, beside 100,000',
      take: registrations,
      lines: [
        { figure: 'perSecond', peer: 'node:http' },
        { figure: 'perCpuSecond', peer: 'r-nacos', atLeast: 1 },
        { figure: 'cpuUs', peer: 'node:http' },
      ],
    },
    {
      name: 'list',
      title: 'lists of 10 hosts, of 10,000 services',
      take: calls('list', INSTANCES),
      lines: [
        { figure: 'perSecond', peer: 'node:http', atLeast: 0.75 },
        { figure: 'perCpuSecond', peer: 'r-nacos', atLeast: 1 },
        { figure: 'cpuUs', peer: 'node:http' },
      ],
    },
  ],
};
