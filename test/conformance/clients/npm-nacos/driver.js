/**
 * The real npm client `nacos`, steered by JSON lines on standard input, as the drivers of the other languages are.
 * usage: node driver.js --server HOST:PORT [--namespace ID] [--username NAME --password WORD]
 */
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const require = createRequire(import.meta.url);
const { NacosConfigClient, NacosNamingClient } = require('nacos');

const { values } = parseArgs({
  options: {
    server: { type: 'string' },
    namespace: { type: 'string', default: 'public' },
    tmp: { type: 'string' },
    username: { type: 'string' },
    password: { type: 'string' },
  },
});

const quiet = { info() {}, debug() {}, warn: (...args) => console.error(...args), error: (...args) => console.error(...args) };
const { server: serverList, namespace, username, password } = values;
const client = new NacosNamingClient({ logger: quiet, serverList, namespace, username, password });
// Without a listener an answer that the client dislikes would end the process.
client.on('error', (error) => console.error(error));
await client.ready();

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const view = ({ ip, port, clusterName, serviceName, weight, healthy, valid, enabled, ephemeral, instanceId, metadata }) => ({
  ip,
  port,
  cluster: clusterName,
  service: serviceName,
  weight,
  healthy: healthy ?? valid,
  enabled,
  ephemeral,
  instanceId,
  metadata,
});
const listeners = new Map();

/** Made on first use: it asks the server by itself, which a test of the naming API should not see. */
let configClient;
function config() {
  if (configClient === undefined) {
    // To this client the default namespace is the one that has no name.
    const namespace = values.namespace === 'public' ? '' : values.namespace;
    configClient = new NacosConfigClient({ serverAddr: values.server, namespace, cacheDir: values.tmp });
    configClient.on('error', (error) => console.error(error));
  }
  return configClient;
}

const OPS = {
  register: ({ service, group, ip, port, cluster, weight, enabled, ephemeral, metadata }) =>
    client.registerInstance(service, { ip, port, clusterName: cluster, weight, enabled, ephemeral, metadata }, group),
  deregister: ({ service, group, ip, port, cluster, ephemeral }) =>
    client.deregisterInstance(service, { ip, port, clusterName: cluster, ephemeral }, group),
  async instances({ service, group, clusters, healthyOnly }) {
    const names = clusters?.join(',');
    const hosts = healthyOnly
      ? await client.selectInstances(service, group, names, true, false)
      : await client.getAllInstances(service, group, names, false);
    return hosts.map(view);
  },
  subscribe({ service, group, clusters }) {
    const listener = (hosts) => say({ event: 'change', service, group, instances: hosts.map(view) });
    listeners.set(`${group}@@${service}`, listener);
    client.subscribe({ serviceName: service, groupName: group, clusters: clusters?.join(',') }, listener);
  },
  unsubscribe: ({ service, group, clusters }) =>
    client.unSubscribe(
      { serviceName: service, groupName: group, clusters: clusters?.join(',') },
      listeners.get(`${group}@@${service}`),
    ),
  configGet: ({ dataId, group }) => config().getConfig(dataId, group),
  configPublish: ({ dataId, group, content }) => config().publishSingle(dataId, group, content),
  configRemove: ({ dataId, group }) => config().remove(dataId, group),
  configListen({ dataId, group }) {
    config().subscribe({ dataId, group }, (content) => say({ event: 'config', dataId, group, content }));
  },
  serverStatus: () => client.getServerStatus(),
  quit: () => setImmediate(() => process.exit(0)),
};

say({ event: 'ready', client: 'npm', version: require('nacos/package.json').version });

const input = createInterface({ input: process.stdin });
input.on('close', () => process.exit(0));
for await (const line of input) {
  const { id, op, ...params } = JSON.parse(line);
  try {
    say({ id, ok: true, result: (await OPS[op](params)) ?? null });
  } catch (error) {
    say({ id, ok: false, error: String(error?.message ?? error) });
  }
}
