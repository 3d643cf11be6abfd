import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, inject, it, onTestFinished } from 'vitest';
import { FREE_PORTS, startProcess } from '../support/process.ts';

/** What systemd itself would read: the real `systemd-notify`, and a socket as a manager has it. */

const { python3, systemdNotify } = inject('tools');

/** Node has no datagrams over Unix sockets. */
const MANAGER = `
import socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(manager.recv(4096).decode(), flush=True)
`;

// No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
it.skipIf(python3.path === undefined || systemdNotify.path === undefined)(
  'a manager hears that the bridge is ready, that it lives, and that it stops',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'beatbridge-systemd-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const socket = join(folder, 'notify');
    const manager = spawn(python3.path ?? '', ['-c', MANAGER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void manager.kill('SIGKILL'));
    const lines = createInterface({ input: manager.stdout });
    const heard: string[] = [];
    await once(lines, 'line');
    // The other line is how systemd-notify makes sure that it was heard.
    lines.on('line', (line) => {
      if (line !== 'BARRIER=1') heard.push(line);
    });
    const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' };
    await using bridge = await startProcess([...FREE_PORTS, '--drain-delay', '500'], env);
    await expect.poll(() => heard.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(3);
    expect(heard.slice(0, 3)).toEqual(['READY=1', 'WATCHDOG=1', 'WATCHDOG=1']);
    expect(await bridge.stop('SIGTERM')).toBe(0);
    await expect.poll(() => heard).toContain('STOPPING=1');
    expect(bridge.log()).not.toContain('systemd');
  },
);
