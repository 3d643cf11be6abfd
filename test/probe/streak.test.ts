import { expect, it } from 'vitest';
import { isNews, type Outcome, streakAfter, verdictAfter } from '../../src/probe/streak.ts';
import type { CheckTrouble } from '../../src/registry/checks.ts';
import type { Instance } from '../../src/registry/instance.ts';
import { Registry } from '../../src/registry/registry.ts';
import { orders, registration } from '../support/instances.ts';

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  p: 'passes',
  u: 'unheard',
  c: { weight: 'counted', reason: 'connection failed' },
  s: { weight: 'slow', reason: 'timed out' },
  r: { weight: 'at-once', reason: 'refused' },
  i: { weight: 'impossible', reason: 'address not allowed' },
};

// Of each check: P passing, F failing, U unchecked, a dot as long as nothing is decided.
it.each([
  ['ppp', 3, '..P'],
  ['pppp', 3, '..PP'],
  ['ccc', 3, '..F'],
  ['csc', 3, '..F'],
  ['ccpcc', 3, '.....'],
  ['ppcpp', 3, '.....'],
  ['r', 3, 'F'],
  ['pppr', 3, '..PF'],
  ['rppcppp', 3, 'F.....P'],
  ['rcc', 3, 'F.F'],
  ['ccuc', 3, '...F'],
  ['ppup', 3, '...P'],
  ['cciccc', 3, '..U..F'],
  ['ppippp', 3, '..U..P'],
  ['pc', 1, 'PF'],
])('the outcomes %s with %i in a row to decide come to %s', (letters, times, expected) => {
  let streak = 0;
  const said = [...letters].map((letter) => {
    const outcome = OUTCOMES[letter] ?? 'unheard';
    streak = streakAfter(streak, outcome);
    const verdict = verdictAfter(streak, outcome, { times, type: 'tcp' });
    if (verdict === undefined) return '.';
    return verdict === 'passing' ? 'P' : verdict.verdict === 'failing' ? 'F' : 'U';
  });
  expect(said.join('')).toBe(expected);
});

const REFUSED: CheckTrouble = { verdict: 'failing', type: 'tcp', reason: 'refused' };
const NOT_ALLOWED: CheckTrouble = { verdict: 'unchecked', type: 'tcp', reason: 'address not allowed' };

function instance(overrides: Partial<Instance>): Instance {
  const registry = new Registry(() => 0);
  registry.register(orders, registration({ ephemeral: overrides.ephemeral ?? false }));
  const [one] = registry.instances(orders) ?? [];
  if (one === undefined) throw new Error('it has not registered');
  return { ...one, ...overrides };
}

it.each([
  ['passing', {}, false],
  ['passing', { healthy: false }, true],
  ['passing', { trouble: NOT_ALLOWED }, true],
  // Its beats say that, and no check can.
  ['passing', { ephemeral: true, healthy: false }, false],
  ['passing', { ephemeral: true, healthy: false, trouble: REFUSED }, true],
  [REFUSED, {}, true],
  [REFUSED, { healthy: false }, true],
  [REFUSED, { healthy: false, trouble: REFUSED }, false],
  [REFUSED, { healthy: false, trouble: { ...REFUSED, reason: 'timed out' } }, true],
  [REFUSED, { healthy: false, trouble: NOT_ALLOWED }, true],
  // Somebody has said otherwise since.
  [REFUSED, { healthy: true, trouble: REFUSED }, true],
  [NOT_ALLOWED, {}, true],
  [NOT_ALLOWED, { trouble: NOT_ALLOWED }, false],
] as const)('whether %j is news of an instance with %j: %s', (verdict, overrides, expected) => {
  expect(isNews(verdict, instance(overrides))).toBe(expected);
});
