import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { createServer } from '../../../src/server/server.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { run } from '../../support/process.ts';
import { deregister, register, startServer } from '../../support/server.ts';
import { WebhookReceiver } from '../../support/webhook-receiver.ts';

failOnLeaks();

type Told = Readonly<Record<string, unknown>>;

/** Nobody beats, and nobody is to fall silent. */
const LIVES_LONG = {
  metadata: JSON.stringify({ 'preserved.heart.beat.timeout': '3600000', 'preserved.ip.delete.timeout': '7200000' }),
};

/** Each once: whoever answers as the bridge goes may be told the same again. */
const eventsOf = (receiver: WebhookReceiver) => {
  const all = receiver.posted.flatMap(({ body }) => (JSON.parse(body) as { events: readonly Told[] }).events);
  return [...new Map(all.map((event) => [event.seq, event])).values()];
};
const said = ({ cause, service, to }: Told) => `${cause} ${service} ${to}`;

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'beatbridge-webhooks-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

it('whoever is down while services change, and while the bridge is started anew, is told all of it, and no secret is logged', async () => {
  const dataDir = folder();
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  await using receiver = await WebhookReceiver.open([503]);
  const webhook = `http://name:passw0rd@127.0.0.1:${receiver.port}/s3cret-path?token=t0ken`;
  {
    await using server = await startServer({ dataDir, webhook, log });
    await register(server, 'orders', LIVES_LONG);
    await deregister(server, 'orders');
    await receiver.hears(1);
    await register(server, 'shop', LIVES_LONG);
  }
  receiver.answer(200);
  receiver.posted.length = 0;
  {
    await using server = await startServer({ dataDir, webhook, log });
    await register(server, 'users', LIVES_LONG);
    await expect
      .poll(() => eventsOf(receiver).map(said))
      .toEqual([
        'registered orders serving',
        'deregistered orders not-serving',
        'registered shop serving',
        'registered users serving',
      ]);
  }
  expect(receiver.posted[0]?.headers.authorization).toBe(`Basic ${Buffer.from('name:passw0rd').toString('base64')}`);
  expect(lines.join('')).toContain(`json=http://127.0.0.1:${receiver.port}`);
  expect(lines.join('')).not.toMatch(/s3cret-path|t0ken|passw0rd/);
});

it('what happens as the bridge goes is told before it has gone', async () => {
  await using receiver = await WebhookReceiver.open();
  {
    await using server = await startServer({ webhook: receiver.url, webhookKinds: 'bridge' });
    await server.close(undefined, 'SIGTERM');
  }
  expect(eventsOf(receiver)).toMatchObject([{ cause: 'started' }, { cause: 'draining', detail: { signal: 'SIGTERM' } }]);
});

it('signs with the secret of a file that only its owner can read, and does not start with another', async () => {
  const [good, open, short] = ['good', 'open', 'short'].map((name) => join(folder(), name)) as [string, string, string];
  writeFileSync(good, 'a secret of some length\n', { mode: 0o600 });
  writeFileSync(open, 'a secret of some length\n', { mode: 0o644 });
  writeFileSync(short, 'short\n', { mode: 0o600 });
  await using receiver = await WebhookReceiver.open();
  const hooks = `${receiver.url}/a,slack=${receiver.url}/b`;
  {
    await using server = await startServer({ webhook: hooks, webhookSecretFile: `${good},-`, webhookKinds: 'bridge' });
    await server.close();
  }
  const own = receiver.posted.find(({ path }) => path === '/a');
  expect(own?.headers['x-beatbridge-signature']).toMatch(/^sha256=[0-9a-f]{64}$/);
  expect(receiver.posted.find(({ path }) => path === '/b')?.headers['x-beatbridge-signature']).toBeUndefined();
  for (const [file, fault] of [
    [open, 'others can read it'],
    [short, 'it must have 16..4096 bytes, got 5'],
    [`${good}.gone`, 'it cannot be read: ENOENT'],
  ])
    await expect(startServer({ webhook: receiver.url, webhookSecretFile: file ?? '' })).rejects.toThrow(fault);
});

it.each([
  [{ webhook: 'teams=https://a.example/t0ken' }, /^webhook must be at most 20 URLs .*, got \(hidden\)$/],
  [{ webhook: 'https://a.example', webhookCauses: 'eclipse' }, /^webhookCauses must be causes of events/],
  [{ webhook: 'https://a.example', webhookKinds: 'planet' }, /^webhookKinds must be instance, service, registry, bridge/],
  [
    { webhook: 'https://a.example', webhookSecretFile: 'a,b' },
    /^webhookSecretFile must be one file for all webhooks, or 1 in their order, got 2$/,
  ],
  [{ webhookKinds: 'bridge' }, /^webhookKinds says nothing without --webhook$/],
])('a mistake in its options is refused at the start: %j', async (options, fault) => {
  await expect(createServer({ ...options, port: 0, grpcPort: 0, healthPort: 0 })).rejects.toThrow(fault);
});

it('is not printed with the options, as its URL is a secret', async () => {
  const url = 'slack=https://hooks.example/services/T/B/t0ken';
  const printed = await run(['config', 'print'], { BEATBRIDGE_WEBHOOK: url });
  expect(printed.stdout).toContain('# webhook: (hidden)');
  expect(printed.stdout).not.toContain('t0ken');
  const checked = await run(['config', 'check', '--webhook', url, '--webhook-secret-file', '/nowhere']);
  expect([checked.code, checked.stderr]).toEqual([
    2,
    expect.stringContaining('--webhook-secret-file: /nowhere: it cannot be read: ENOENT'),
  ]);
});
