/** r-nacos: a registry of Nacos's protocols in Rust. As its release runs it, but that no instance of it ever falls silent. */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ServerProcess } from '../server-process.js';
import { tool } from '../toolchain.js';

const NEVER_S = '100000';
const LISTENS_WITHIN_MS = 30_000;

/** @returns {Promise<import('./peers.js').Peer>} */
export async function rNacos() {
  const binary = await tool('rNacos');
  const [http, nacos, console] = await freePorts(3);
  const folder = mkdtempSync(join(tmpdir(), 'beatbridge-bench-r-nacos-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const env = {
    ...process.env,
    RNACOS_DATA_DIR: folder,
    RNACOS_SDK_HOST: '127.0.0.1',
    RNACOS_HTTP_PORT: String(http),
    RNACOS_GRPC_PORT: String(nacos),
    RNACOS_HTTP_CONSOLE_PORT: String(console),
    // Of the one core that it has, as everybody else.
    RNACOS_HTTP_WORKERS: '1',
    RNACOS_NAMING_HEALTH_TIMEOUT_SECOND: NEVER_S,
    RNACOS_NAMING_INSTANCE_TIMEOUT_SECOND: String(2 * Number(NEVER_S)),
  };
  const server = await ServerProcess.start([binary], {
    env,
    cwd: folder,
    listening: async () => {
      await untilOpen(http);
      await untilOpen(nacos);
      return { http, nacos };
    },
  });
  return { process: server, httpPort: http, nacosPort: nacos };
}

async function untilOpen(port) {
  const until = performance.now() + LISTENS_WITHIN_MS;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    if (performance.now() > until) throw new Error(`nobody listens on ${port}`);
    await pause(20);
  }
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
