import { describe, expect, it } from 'vitest';
import { bannersOf } from '../../src/console/banners.ts';
import type { BridgeSource } from '../../src/console/bridge-source.ts';
import type { Happened } from '../../src/console/sources.ts';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;

const WELL = {
  isDraining: () => false,
  stalledForMs: () => undefined,
  storeTrouble: () => undefined,
  certificate: () => undefined,
  webhooks: () => undefined,
  areUsersUnreadable: () => false,
  comeBackUntil: NOW - MINUTE,
  limits: () => [{ name: 'services', used: 89, most: 100, option: '--max-services' }],
} satisfies Partial<BridgeSource>;

const HELD_BACK = { slowedForMs: 0, keptCount: 0, unheardCount: 0 };

function banners(bridge: Partial<BridgeSource>, records: Partial<typeof HELD_BACK> = {}, notable: readonly Happened[] = []) {
  // Of the rest nothing is looked at.
  const sources = { bridge: { ...WELL, ...bridge }, registry: { records: { ...HELD_BACK, ...records } }, wallClock: () => NOW };
  return bannersOf(sources as unknown as Parameters<typeof bannersOf>[0], notable);
}

function happened(cause: string, agoMs: number, more: Partial<Happened> = {}): Happened {
  return { seq: 1, at: NOW - agoMs, kind: 'registry', cause, ...more };
}

const certificate = (endsInMs: number, trouble?: string) => () => ({
  subject: 'CN=x',
  until: NOW + endsInMs,
  warnFrom: NOW + endsInMs - 100 * MINUTE,
  ok: true,
  says: '',
  trouble,
});

describe('what is to be known before anything else', () => {
  it('is nothing where all is well', () => {
    expect(banners({})).toEqual([]);
    expect(banners({ certificate: certificate(101 * MINUTE) }, {}, [happened('stalled', 11 * MINUTE)])).toEqual([]);
  });

  it.each<[string, ReturnType<typeof banners>, object]>([
    ['a stall that lasts', banners({ stalledForMs: () => 2_400 }), { kind: 'stalled', level: 'error', forMs: 2_000 }],
    [
      'a stall of a moment ago',
      banners({}, {}, [happened('stalled', 9 * MINUTE, { detail: { gapMs: 5_000 } })]),
      { kind: 'stalled', level: 'warn', since: NOW - 9 * MINUTE, forMs: 5_000 },
    ],
    ['a store', banners({ storeTrouble: () => 'ENOSPC' }), { kind: 'store', level: 'error', what: 'ENOSPC' }],
    [
      'a certificate that ends soon',
      banners({ certificate: certificate(99 * MINUTE) }),
      { kind: 'certificate', level: 'warn', until: NOW + 99 * MINUTE, what: 'CN=x' },
    ],
    ['one that has ended', banners({ certificate: certificate(0) }), { kind: 'certificate', level: 'error' }],
    [
      'one whose successor is none',
      banners({ certificate: certificate(200 * MINUTE, 'no key') }),
      { kind: 'certificate-refused', level: 'error', what: 'no key' },
    ],
    [
      'the brake, while it is on',
      banners({}, { slowedForMs: 90_000.4 }, [happened('mass-silence', 20 * MINUTE, { count: 80 })]),
      { kind: 'mass-silence', level: 'error', until: NOW + 90_000, since: NOW - 20 * MINUTE, count: 80 },
    ],
    [
      'lost connections, while some are awaited',
      banners({}, { keptCount: 3 }, [happened('mass-loss', 5_000, { count: 70 })]),
      { kind: 'mass-loss', level: 'warn', count: 70 },
    ],
    [
      'who is remembered, and until when he has to come back',
      banners({ comeBackUntil: NOW + 1_000 }, { unheardCount: 7 }),
      { kind: 'remembered', level: 'info', count: 7, until: NOW + 1_000 },
    ],
    [
      'a limit of which nine tenths are used',
      banners({ limits: () => [{ name: 'watches', used: 9, most: 10, option: '--max-watches' }] }),
      { kind: 'limit', level: 'warn', what: 'watches (--max-watches)', used: 9, most: 10 },
    ],
    [
      'one that is used up',
      banners({ limits: () => [{ name: 'texts', used: 10, most: 10 }] }),
      { kind: 'limit', level: 'error' },
    ],
    ['the end', banners({ isDraining: () => true }), { kind: 'draining', level: 'warn' }],
    [
      'webhooks that take nothing',
      banners({ webhooks: () => ({ failing: 2, says: '3, 2 of them behind' }) }),
      { kind: 'webhooks', level: 'warn', count: 2, what: '3, 2 of them behind' },
    ],
    ['users that cannot be read', banners({ areUsersUnreadable: () => true }), { kind: 'unreadable-users', level: 'error' }],
  ])('tells of %s', (_, told, expected) => {
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject(expected);
  });

  it('has the worst first, and a crowd no longer once nothing is held back for it', () => {
    const told = banners({ isDraining: () => true, storeTrouble: () => 'ENOSPC' }, { unheardCount: 1 }, [
      happened('mass-silence', 1_000),
      happened('mass-loss', 1_000),
    ]);
    expect(told.map(({ kind }) => kind)).toEqual(['store', 'draining', 'remembered']);
  });
});
