import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RequestError } from '../../../src/nacos/errors.ts';
import { ServiceInfo } from '../../../src/nacos/grpc/messages.ts';
import { requestTable } from '../../../src/nacos/grpc/table.ts';
import { grpcRoom } from '../../support/grpc-room.ts';
import { NASTY_TEXTS } from '../../support/nasty-texts.ts';
import { randomRuns } from '../../support/random.ts';

// A fixed seed: what fails once fails again, and what passes here passes everywhere.
const BODIES = randomRuns(15_000, 20_000);

const FIELDS = [
  'namespace',
  'serviceName',
  'groupName',
  'type',
  'instance',
  'instances',
  'clusters',
  'cluster',
  'subscribe',
  'healthyOnly',
  'pageNo',
  'pageSize',
  'dataId',
  'group',
  'tenant',
  'content',
  'casMd5',
  'additionMap',
  'listen',
  'configListenContexts',
  'ip',
  'port',
  'weight',
  'metadata',
];
const NASTY = [...NASTY_TEXTS, 'registerInstance', 'batchRegisterInstance', '1.1.1.1', null, true, -1, 1e308, 80];
const leaf = fc.oneof(
  fc.constantFrom<unknown>(...NASTY),
  fc.json({ maxDepth: 2 }).map((json): unknown => JSON.parse(json)),
);
const flat = fc.dictionary(fc.constantFrom(...FIELDS), leaf, { maxKeys: 8 });
const body = fc.dictionary(fc.constantFrom(...FIELDS), fc.oneof(leaf, flat, fc.array(flat, { maxLength: 3 })), { maxKeys: 8 });

it(
  `bodies are answered or refused with a bounded text, whatever is in them ${BODIES.title}`,
  () => {
    const room = grpcRoom();
    const table = [...requestTable(room).values()];
    const connection = room.join();
    const asker = { connection, by: connection.by, headers: {} };
    fc.assert(
      fc.property(body, fc.integer({ min: 0, max: table.length - 1 }), (json, i) => {
        try {
          const answer = table[i]?.from(json, asker);
          const text = answer instanceof ServiceInfo ? answer.toString() : JSON.stringify(answer);
          expect(Object.values(JSON.parse(text))).not.toContain(null);
        } catch (error) {
          if (!(error instanceof RequestError)) throw error;
          expect(error.message.length).toBeLessThan(500);
        }
        room.scheduler.advance(0);
        connection.outbox.take();
      }),
      BODIES.parameters,
    );
  },
  BODIES.timeoutMs,
);
