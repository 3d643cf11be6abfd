import { expect, test } from 'vitest';
import { causeWords, kindWords } from '../../../console/src/causes.ts';
import { piecesOf, sentenceText } from '../../../console/src/sentences.ts';
import { LANGUAGES, language } from '../../../console/src/words.ts';
import type { EventLine } from '../../../src/console/api.ts';
import { CAUSES } from '../../../src/events/causes.ts';

const SERVICE = { namespace: 'public', group: 'DEFAULT_GROUP', service: 'orders' };
const one = [{ ip: '10.0.0.1', port: 80 }];
const many = Array.from({ length: 10 }, (_, n) => ({ ip: `10.0.0.${n}`, port: 80 }));

/** A cause in each kind, with nothing told of it, and with all that may be. */
const DETAILS: Readonly<Record<string, readonly NonNullable<EventLine['detail']>[]>> = {
  silent: [{ silentMs: 15_017 }],
  removed: [{ silentMs: 30_500 }],
  'connection-ended': ['closed', 'reset', 'silent', 'too-slow', 'refused', 'login-ended'].map((reason) => ({ reason })),
  drained: [{ until: '2026-01-31T12:00:00.000Z', reason: 'new version' }, { reason: '' }],
  resumed: ['asked', 'over', 'deregistered', 'dropped'].map((why) => ({ why })),
  probe: [{ check: 'TCP', reason: 'timed out' }],
  edited: [
    { field: 'weight', before: 1, after: 0 },
    { field: 'metadata.zone', after: 'a' },
    { field: 'metadata.zone', before: 'a' },
    { fields: 'weight, enabled' },
    { fields: 'weight, enabled', before: 'weight=1, enabled=true', after: 'weight=0, enabled=false' },
  ],
  'mass-silence': [{ count: 120 }],
  'mass-loss': [{ count: 120 }],
  refused: [
    { what: 'services', option: '--max-services' },
    { what: 'callers (no-right)', form: 'access' },
  ],
  started: [{ version: '1.0.0' }, { version: '1.0.0', services: 1, instances: 3 }],
  stalled: [{ gapMs: 12_000 }],
  draining: [{ signal: 'SIGTERM' }],
  'store-failing': [{ reason: 'ENOSPC' }],
  certificate: Object.keys(CAUSES.certificate.forms ?? {}).map((form) => ({ form, days: 3 })),
};
const STANDINGS = ['no-instances', 'min-available', 'drained', 'disabled', 'weight-0'].map((because) => ({ because }));

function linesOf(cause: string): readonly EventLine[] {
  const about = (said: Partial<EventLine>): EventLine[] =>
    [{}, ...(DETAILS[cause] ?? [])].map((detail) => ({
      seq: 1,
      at: '2026-01-31T12:00:00.000Z',
      kind: 'bridge',
      cause,
      detail,
      ...said,
    }));
  const counts = { available: 1, total: 3, needed: 2 };
  return [
    ...about({ kind: 'bridge' }),
    ...about({ kind: 'bridge', count: 7 }),
    ...about({ kind: 'registry' }),
    ...about({ kind: 'registry', count: 40 }),
    ...about({ kind: 'service', ...SERVICE }),
    ...about({ kind: 'service', ...SERVICE, to: 'not-serving', instances: one, count: 1, counts }),
    ...STANDINGS.flatMap((detail) => about({ kind: 'service', ...SERVICE, to: 'not-serving', detail, counts })),
    ...about({ kind: 'instance', ...SERVICE, instances: one, to: 'healthy' }),
    ...about({ kind: 'instance', ...SERVICE, instances: many, count: 1_200, to: 'unhealthy' }),
  ];
}

const told = (line: EventLine) => sentenceText(line, { service: 'orders', status: kindWords('NOT_SERVING') });

test('every cause of every kind is a sentence in both languages, with no key or place left raw', () => {
  for (const said of LANGUAGES) {
    language.value = said;
    for (const cause of Object.keys(CAUSES))
      for (const line of linesOf(cause)) {
        const text = told(line);
        expect(text, JSON.stringify(line)).not.toMatch(/[{}\u0001-\u0003]|undefined|NaN|null|\(\)|（）|: *$|： *$|\s{2}/);
        expect(text.trim().length, JSON.stringify(line)).toBeGreaterThan(2);
        if (said === 'en') expect(text, JSON.stringify(line)).not.toMatch(/[\u3000-\u9fff\uff00-\uffef]/);
        else expect(text, JSON.stringify(line)).toMatch(/[\u4e00-\u9fff]/);
        for (const without of ['service', 'instance'] as const)
          expect(piecesOf(line, without).join(''), JSON.stringify(line)).not.toMatch(/[{}\u0001]/);
      }
  }
  language.value = 'en';
});

test('a sentence says who, of what, and why', () => {
  const silent: EventLine = {
    seq: 7,
    at: '2026-01-31T12:00:15.000Z',
    kind: 'instance',
    cause: 'silent',
    ...SERVICE,
    instances: one,
    to: 'unhealthy',
    detail: { silentMs: 15_017 },
  };
  const flip: EventLine = {
    ...silent,
    kind: 'service',
    to: 'not-serving',
    detail: { silentMs: 15_017, because: 'min-available' },
  };
  const counts = { available: 1, total: 2, needed: 2 };
  expect(told(silent)).toBe('10.0.0.1:80 of orders fell silent: no heartbeat for 15 s');
  expect(told({ ...silent, instances: many, count: 12 })).toBe(
    '10.0.0.0:80, 10.0.0.1:80, 10.0.0.2:80 and 9 more of orders fell silent: no heartbeat for 15 s',
  );
  expect(told({ ...flip, counts })).toBe(
    'orders is not serving: 10.0.0.1:80 fell silent: no heartbeat for 15 s (1 available, 2 needed)',
  );
  language.value = 'zh-CN';
  expect(told(silent)).toBe('orders 的 10.0.0.1:80 心跳超时：已 15 秒没有心跳');
  expect(told({ ...flip, counts })).toBe('orders 变为 不可用：10.0.0.1:80 心跳超时：已 15 秒没有心跳（1 个可用，需要 2 个）');
  language.value = 'en';
});

test('what somebody has written never stands for something else', () => {
  const line: EventLine = {
    seq: 1,
    at: '2026-01-31T12:00:00.000Z',
    kind: 'instance',
    cause: 'drained',
    ...SERVICE,
    instances: one,
    detail: { reason: '\u0001 {who} \u0002' },
  };
  expect(told(line)).toBe('10.0.0.1:80 of orders drained: taken out for a time:  {who} ');
});

test('a cause that the page does not know is told as it is', () => {
  expect(causeWords('brand-new')).toBe('brand-new');
  expect(told({ seq: 1, at: '2026-01-31T12:00:00.000Z', kind: 'bridge', cause: 'brand-new' })).toBe('Brand-new');
});
