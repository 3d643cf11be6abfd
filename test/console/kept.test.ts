import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { ANYBODY } from '../../src/access/permit.ts';
import { actPath } from '../../src/console/actions.ts';
import { PageToken } from '../../src/console/session.ts';
import type { Operations, Reception } from '../../src/console/sources.ts';
import { Registry } from '../../src/registry/registry.ts';
import { HeldBodies } from '../../src/wire/held-bodies.ts';

/** Operations of which one is done, and owes so much to the disk then. */
function operationsOwing(settled: () => Promise<void>, act: () => void = () => {}): Operations {
  const durability = { owed: 0, settled };
  const none = () => {
    throw new Error('nobody asks for that');
  };
  const counted = async () => 0;
  return {
    amend: none,
    replaceEdit: none,
    unedit: none,
    deregister: none,
    drain: counted,
    resume: counted,
    createService: () => {
      act();
      durability.owed++;
    },
    dropService: none,
    isAsCreated: () => true,
    reasonFault: () => undefined,
    mayLast: () => true,
    byOf: () => ({ peer: '10.0.0.1' }),
    refusalOf: () => undefined,
    durability,
  };
}

async function created(operations: Operations) {
  const page = new PageToken();
  const reception: Reception = {
    version: '1',
    startedAt: 0,
    auth: false,
    whoComes: async () => ({ mayRead: true, mayOperate: true, isAdmin: false }),
    login: () => ({ isRefusal: true, status: 403, text: 'no' }),
    admitOperator: () => ANYBODY,
  };
  const bodies = new HeldBodies({ maxHeldBytes: 1e6, maxHeldBytesPerPeer: 1e6, maxHeldBytesInAll: 1e6 });
  const serve = actPath({ registry: new Registry(() => 0), operations, reception, wallClock: () => 0, bodies }, page);
  const failures: unknown[] = [];
  const server = createServer((req, res) => {
    Promise.resolve(serve(req, res)).catch((error) => {
      failures.push(error);
      res.writeHead(500).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-console-token': page.token, connection: 'close' },
      body: JSON.stringify({ do: 'create-service', namespace: 'public', group: 'G', service: 'orders' }),
    });
    return { status: answer.status, body: await answer.json(), failures };
  } finally {
    server.close();
  }
}

const UNDO = { do: 'delete-service', namespace: 'public', group: 'G', service: 'orders' };

it('an action is answered when it is on disk', async () => {
  let isSettled = false;
  const operations = operationsOwing(async () => {
    await new Promise(setImmediate);
    isSettled = true;
  });
  expect(await created(operations)).toMatchObject({ status: 200, body: { ok: true, undo: UNDO } });
  expect(isSettled).toBe(true);
});

it('one that cannot be kept is in force, can be taken back, and says why it would not survive', async () => {
  const operations = operationsOwing(() => Promise.reject(new Error('no space left on device')));
  const { status, body } = await created(operations);
  expect([status, body]).toEqual([200, { ok: true, undo: UNDO, warning: 'no space left on device' }]);
});

it('a bug is nobody’s refusal', async () => {
  const bug = new TypeError('a bug');
  const operations = operationsOwing(
    () => Promise.resolve(),
    () => {
      throw bug;
    },
  );
  expect(await created(operations)).toMatchObject({ status: 500, failures: [bug] });
});
