import { describe, expect, it } from 'vitest';
import type { Line } from '../../src/moving/lines.ts';
import { reach } from '../../src/moving/reach.ts';
import { type Answered, type Asked, exchangesOf, replaying, serving } from '../support/exchanges.ts';
import { MOVED, MOVED_IN_FORCE, withoutHealth } from '../support/moved-lines.ts';
import { startServer } from '../support/server.ts';
import { exported, imported } from './registry.ts';

describe.each(['1.4.8', '2.5.1', '3.0.3'])('Nacos %s, by what a real one answered,', (version) => {
  it('takes what a beatbridge exports, tells it again, and takes it no second time', async () => {
    const recorded = exchangesOf(`nacos-${version}`);
    await using nacos = await serving(replaying(recorded));
    const first = await imported(nacos.address, MOVED);
    expect(first.refusals).toEqual([]);
    expect(first.counts).toEqual({ namespace: { added: 1 }, service: { added: 1 }, instance: { added: 2 }, text: { added: 2 } });
    const lines = await exported(nacos.address, { namespace: 'moved' });
    expect(withoutHealth(lines)).toEqual(withoutHealth(MOVED_IN_FORCE));
    const again = await imported(nacos.address, MOVED_IN_FORCE);
    expect(again.counts).toEqual({
      namespace: { unchanged: 1 },
      service: { unchanged: 1 },
      instance: { unchanged: 2 },
      text: { unchanged: 2 },
    });

    // And over into a beatbridge.
    await using bridge = await startServer();
    expect((await imported(bridge.listeners.main, lines)).refusals).toEqual([]);
    expect(withoutHealth(await exported(bridge.listeners.main))).toEqual(withoutHealth(lines));
  });

  it('refuses what only a beatbridge has, line by line, and never gets a check that it would take for none', async () => {
    const recorded = exchangesOf(`nacos-${version}`);
    const [, service] = MOVED;
    if (service?.kind !== 'service') throw new Error('the second line is the service');
    const asked: Asked[] = [];
    const replay = replaying(recorded);
    await using nacos = await serving((question) => {
      asked.push(question);
      return replay(question);
    });
    const cluster = { checkPort: 80, useInstancePort: true, metadata: {} };
    const checks = [
      { type: 'GRPC', service: '' },
      { type: 'HTTP', path: '/', tls: true },
    ];
    const lines: Line[] = [
      ...checks.map((healthChecker): Line => ({ ...service, clusters: { C1: { ...cluster, healthChecker } } })),
      { kind: 'edit', namespace: 'moved', group: 'G9', service: 'orders', ip: '10.0.0.9', port: 1, edit: { weight: 2 } },
      { kind: 'switch', entry: 'check', value: 'false' },
    ];
    expect((await imported(nacos.address, lines, { overwrite: true })).refusals).toEqual([
      'line 2: service moved##G9@@orders: a Nacos knows no check by GRPC (cluster C1)',
      'line 3: service moved##G9@@orders: a Nacos knows no check by TLS (cluster C1)',
      'line 4: edit 10.0.0.9:1 of moved##G9@@orders: a Nacos keeps no edit of an instance that is not there; edit it when it is',
      'line 5: switch check: the switches of a Nacos tune that Nacos: set them there',
    ]);
    expect(asked.filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});

/** As a Nacos that wants a login answers: what is open and what is not, in which words. */
function guarded(open: (asked: Asked) => Answered) {
  const refusal = { status: 403, type: 'application/json' };
  return (asked: Asked): Answered => {
    if (/\/auth\/(users\/)?login$/.test(asked.path)) {
      const { username, password } = Object.fromEntries(asked.form);
      if (username !== 'nacos' || password !== 'p+ &') return { status: 403, type: 'text/plain', body: 'user not found!' };
      const token = { accessToken: 'good', tokenTtl: 18_000, globalAdmin: true, username };
      return { status: 200, type: 'application/json', body: JSON.stringify(token) };
    }
    const body = JSON.stringify({ status: 403, error: 'Forbidden', message: 'user not found!', path: asked.path });
    return asked.path.endsWith('/state') || asked.headers.accesstoken === 'good' ? open(asked) : { ...refusal, body };
  };
}

describe('a server that wants a login', () => {
  const wanted = { namespace: 'moved', ephemeral: false };

  it('gets one, or a token, with every call', async () => {
    for (const login of [{ username: 'nacos', password: 'p+ &' }, { token: 'good' }]) {
      await using nacos = await serving(guarded(replaying(exchangesOf('nacos-2.5.1'))));
      await using reached = await reach({ server: `http://${nacos.address}`, ...login });
      expect(await reached.peer.services(wanted.namespace)).toEqual([{ namespace: 'moved', group: 'G9', name: 'orders' }]);
    }
  });

  it('is told of plainly where there is none', async () => {
    await using nacos = await serving(guarded(replaying(exchangesOf('nacos-2.5.1'))));
    await expect(exported(nacos.address, wanted)).rejects.toThrow(
      `http://${nacos.address}/nacos wants a login: user not found!. Give --username and --password, or --token`,
    );
  });

  it('and does not take it', async () => {
    await using nacos = await serving(guarded(replaying(exchangesOf('nacos-2.5.1'))));
    const server = `http://${nacos.address}`;
    await expect(reach({ server, username: 'nacos', password: 'wrong' })).rejects.toThrow(
      `${server}/nacos does not let nacos log in: 403 user not found!`,
    );
  });
});

it('what is no Nacos is told from one', async () => {
  await using other = await serving(() => ({ status: 404, type: 'text/html', body: '<h1>no</h1>' }));
  const server = `http://${other.address}`;
  await expect(reach({ server })).rejects.toThrow(
    `${server} is neither a beatbridge nor a Nacos: it does not say which version it is`,
  );
});

it('a server that fails in the middle ends an import with the line, and nothing more is sent', async () => {
  const replay = replaying(exchangesOf('nacos-2.5.1'));
  const after: string[] = [];
  let failed = false;
  await using nacos = await serving((asked) => {
    if (failed && asked.method !== 'GET') after.push(asked.path);
    failed ||= asked.method === 'POST' && asked.path.endsWith('/service');
    return failed && asked.method === 'POST' ? { status: 403, type: 'text/plain', body: 'token expired!' } : replay(asked);
  });
  await expect(imported(nacos.address, MOVED)).rejects.toThrow(/^stopped at line 3: .* wants a login: token expired!/);
  expect(after).toEqual([]);
});
