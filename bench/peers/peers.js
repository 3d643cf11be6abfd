/**
 * Who is measured: beatbridge as its command runs it, and those whom it is held against. Each knows the service `orders`, which is
 * SERVING until it is told otherwise, and listens on a free port of loopback.
 */
import { join } from 'node:path';
import { healthRequest } from '../loads/grpc-frames.js';
import { Http2Connection } from '../loads/http2-connection.js';
import { ServerProcess } from '../server-process.js';
import { tool } from '../toolchain.js';
import { hold, setEnabled } from './instances.js';

const BRIDGE = join(import.meta.dirname, '../../dist/cli/main.js');
const IDENTITY = ['cert.pem', 'key.pem'].map((name) => join(import.meta.dirname, '../../test/fixtures/tls', name));
export const SERVICE = 'orders';
/** Field 1 is 1. */
const SERVING = '0801';

/**
 * @typedef {object} Peer
 * @property {ServerProcess} process
 * @property {number} grpcPort
 * @property {boolean} isSecure whether that port speaks TLS
 * @property {number} httpPort
 * @property {number} nacosPort where clients of Nacos 2.x call
 * @property {(isServing: boolean) => Promise<unknown>} setServing
 */

/** All load comes from one address, and brings more than is usual: those limits that stand against just that. */
const LIFTED = [
  ...['instances', 'instances-per-peer', 'services', 'services-per-peer'],
  ...['registrations-per-second-per-peer', 'beats-per-second-per-peer'],
].flatMap((limit) => [`--max-${limit}`, '100000000']);
const METADATA = ['in-all', 'per-peer'].flatMap((limit) => [`--max-metadata-${limit}`, '10000000000']);

/** With every default but for the ports and these limits, and without a store: peers keep nothing either, and `npm run bench:store` says what it costs. */
export async function beatbridge(flags = [], nodeFlags = []) {
  const ports = ['--host', '127.0.0.1', '--port', '0', '--grpc-port', '0', '--health-port', '0'];
  const command = [BRIDGE, 'serve', ...ports, '--data-dir', 'none', ...LIFTED, ...METADATA, ...flags];
  const process = await ServerProcess.node(command, nodeFlags, async (nextLine) => {
    const { main, grpc, tls } = JSON.parse(await nextLine()).listeners;
    const portOf = (address) => Number(address.split(':').at(-1));
    return { http: portOf(main), grpc: portOf(tls ?? main), nacos: portOf(grpc), isSecure: tls !== undefined };
  });
  const { http } = process.said;
  await hold(http, SERVICE, '10.255.0.1', 8080);
  return { ...(await serving(process)), setServing: (isServing) => setEnabled(http, SERVICE, '10.255.0.1', 8080, isServing) };
}

/** Its gRPC is that of the port for TLS. */
export const beatbridgeOverTls = () => {
  const [cert, key] = IDENTITY;
  return beatbridge(['--tls-port', '0', '--tls-cert', cert, '--tls-key', key]);
};

const grpcJs = async () => serving(await ServerProcess.node([program('grpc-js.js'), SERVICE]));

const connectNode = async () => serving(await ServerProcess.node([program('connect-node.js'), SERVICE]));

/** An answer of Node's HTTP/2 that looks at nothing: the limit of the platform. */
const nodeHttp2 = async () => serving(await ServerProcess.node([program('node-http2.js')]));

/**
 * The same of its HTTP/1.1.
 * @param {Record<string, string>} answers what is answered, by path; its query does not count
 */
export const nodeHttp = async (answers) => peerOf(await ServerProcess.node([program('node-http.js'), JSON.stringify(answers)]));

/** On one processor, as the others are. */
const grpcGo = async (args = []) => {
  const env = { ...process.env, GOMAXPROCS: '1' };
  return serving(await ServerProcess.start([await tool('grpcGo'), SERVICE, ...args], { env }));
};

export const grpcGoOverTls = () => grpcGo(IDENTITY);

/** Who serves the health of gRPC beside beatbridge. */
export const PEERS = {
  'connect-node': connectNode,
  'grpc-js': grpcJs,
  'node:http2': nodeHttp2,
  'grpc-go': () => grpcGo(),
};

function program(name) {
  return join(import.meta.dirname, name);
}

/** Programs that load a server look at little of what it answers: whether it says what is true is seen before. */
async function serving(process) {
  const peer = peerOf(process);
  const connection = await Http2Connection.open(peer.grpcPort, peer.isSecure);
  const answer = await new Promise((resolve, reject) => {
    connection.onMessage = (_, message) => resolve(message.toString('hex'));
    connection.onEnd = (_, error) => reject(error ?? new Error('a Check has ended without an answer'));
    connection.onFailure = reject;
    connection.call('/grpc.health.v1.Health/Check', healthRequest(SERVICE));
  });
  connection.close();
  if (answer !== SERVING) throw new Error(`a Check was answered with ${answer}`);
  return peer;
}

function peerOf(process) {
  const { grpc, http, nacos, isSecure = false } = process.said;
  return {
    process,
    grpcPort: grpc,
    isSecure,
    httpPort: http,
    nacosPort: nacos,
    setServing: (isServing) => process.ask(isServing ? 'up' : 'down'),
  };
}
