/**
 * Who is measured: beatbridge as its command runs it, and those whom it is held against. Each knows the service `orders`, which is
 * SERVING until it is told otherwise, and listens on a free port of loopback.
 */
import { join } from 'node:path';
import { ServerProcess } from '../server-process.js';
import { tool } from '../toolchain.js';
import { hold, setEnabled } from './instances.js';

const BRIDGE = join(import.meta.dirname, '../../dist/cli/main.js');
export const SERVICE = 'orders';

/**
 * @typedef {object} Peer
 * @property {ServerProcess} process
 * @property {number} grpcPort
 * @property {number} httpPort
 * @property {number} nacosPort where clients of Nacos 2.x call
 * @property {(isServing: boolean) => Promise<unknown>} setServing
 */

/** With every default but for the ports, and without a store: peers keep nothing either, and `npm run bench:store` says what it costs. */
export async function beatbridge(flags = [], nodeFlags = []) {
  const ports = ['--host', '127.0.0.1', '--port', '0', '--grpc-port', '0', '--health-port', '0'];
  const command = [BRIDGE, 'serve', ...ports, '--data-dir', 'none', ...flags];
  const process = await ServerProcess.node(command, nodeFlags, async (nextLine) => {
    const { main, grpc } = JSON.parse(await nextLine()).listeners;
    const portOf = (address) => Number(address.split(':').at(-1));
    return { http: portOf(main), grpc: portOf(main), nacos: portOf(grpc) };
  });
  const { http } = process.said;
  await hold(http, SERVICE, '10.255.0.1', 8080);
  return { ...peerOf(process), setServing: (isServing) => setEnabled(http, SERVICE, '10.255.0.1', 8080, isServing) };
}

export const grpcJs = async () => peerOf(await ServerProcess.node([program('grpc-js.js'), SERVICE]));

export const connectNode = async () => peerOf(await ServerProcess.node([program('connect-node.js'), SERVICE]));

/** An answer of Node's HTTP/2 that looks at nothing: the limit of the platform. */
export const nodeHttp2 = async () => peerOf(await ServerProcess.node([program('node-http2.js')]));

/**
 * The same of its HTTP/1.1.
 * @param {Record<string, string>} answers what is answered, by path; its query does not count
 */
export const nodeHttp = async (answers) => peerOf(await ServerProcess.node([program('node-http.js'), JSON.stringify(answers)]));

/** On one processor, as the others are. */
export const grpcGo = async () => {
  const env = { ...process.env, GOMAXPROCS: '1' };
  return peerOf(await ServerProcess.start([await tool('grpcGo'), SERVICE], { env }));
};

function program(name) {
  return join(import.meta.dirname, name);
}

function peerOf(process) {
  const { grpc, http, nacos } = process.said;
  return {
    process,
    grpcPort: grpc,
    httpPort: http,
    nacosPort: nacos,
    setServing: (isServing) => process.ask(isServing ? 'up' : 'down'),
  };
}
