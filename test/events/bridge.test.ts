import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readVersion } from '../../src/server/version.ts';
import { Authority } from '../support/certificates.ts';
import { hello, ping, settingsAck } from '../support/http2-frames.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { register, startServer } from '../support/server.ts';

failOnLeaks();

type Told = Readonly<Record<string, unknown>>;

async function bridgeEvents(address: string): Promise<readonly Told[]> {
  const text = await (await fetch(`http://${address}/events`)).text();
  const records = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Told]));
  return records.filter(({ kind }) => kind === 'bridge');
}

function logged() {
  const lines: Told[] = [];
  return { log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }), lines };
}

describe('what happens to the bridge itself', () => {
  it('is told from its start, with the version, where it listens and what was restored', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'beatbridge-started-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    {
      await using server = await startServer({ dataDir });
      await register(server, 'orders');
    }
    const { log, lines } = logged();
    await using server = await startServer({ dataDir, log });
    const started = (await bridgeEvents(server.listeners.main)).findLast(({ cause }) => cause === 'started');
    expect(started?.detail).toEqual({
      version: readVersion(),
      ...server.listeners,
      services: 1,
      instances: 1,
      awayMs: expect.any(Number),
    });
    expect(lines.filter(({ msg }) => msg === 'the bridge has started')).toMatchObject([{ level: 30, services: 1 }]);
    await server.close(undefined, 'SIGTERM');
    expect(lines.filter(({ msg }) => msg === 'draining')).toMatchObject([{ level: 30, signal: 'SIGTERM' }]);
  });

  it('has the end of a certificate in it, and one that cannot be used', async () => {
    const authority = new Authority();
    const { log, lines } = logged();
    const tls = { ...authority.issueForServer({ until: new Date(Date.now() + 3 * 86_400_000) }), port: 0 };
    await using server = await startServer({ tls, log });
    server.renewIdentity({ ...tls, key: authority.issueForServer().key });
    expect((await bridgeEvents(server.listeners.main)).filter(({ cause }) => cause === 'certificate')).toMatchObject([
      { detail: { form: 'ends-soon', subject: 'CN=localhost', days: 2 } },
      { detail: { form: 'refused', reasons: expect.stringContaining('go together') } },
    ]);
    expect(lines.filter(({ cause }) => cause === 'certificate').map(({ level, msg }) => [level, msg])).toEqual([
      [40, 'the certificate of TLS ends soon'],
      [50, 'the new certificate of TLS cannot be used, the one before stays'],
    ]);
  });

  it('has in it who was refused for a limit, by which option', async () => {
    const { log, lines } = logged();
    await using server = await startServer({ maxInstances: 1, log });
    await register(server, 'orders');
    for (let i = 0; i < 20; i++) await register(server, `shop${i}`).catch(() => {});
    const refused = (await bridgeEvents(server.listeners.main)).filter(({ cause }) => cause === 'refused');
    const detail = { what: 'instances', option: '--max-instances' };
    expect(refused).toMatchObject([{ count: 1, by: { peer: '127.0.0.1' }, detail }]);
    await server.close();
    expect(lines.filter(({ cause }) => cause === 'refused')).toMatchObject([{ level: 40, count: 1 }, { count: 19 }]);
  });

  it('has in it whose connection of HTTP/2 was ended for a flood, and by which option', async () => {
    await using server = await startServer({ maxPingsPerSecond: 10 });
    const { main } = server.listeners;
    for (let i = 0; i < 2; i++) {
      const socket = connect({ port: Number(main.split(':').at(-1)), host: '127.0.0.1' });
      socket.on('error', () => {}).resume();
      socket.write(Buffer.concat([hello(), settingsAck, ...Array.from({ length: 40 }, () => ping('flooding'))]));
      await once(socket, 'close');
    }
    const refused = (await bridgeEvents(main)).filter(({ cause }) => cause === 'refused');
    const detail = { what: 'too many pings', option: '--max-pings-per-second' };
    expect(refused).toMatchObject([{ count: 1, by: { peer: '127.0.0.1' }, detail }]);
  });
});
