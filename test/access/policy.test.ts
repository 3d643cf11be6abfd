import { describe, expect, it } from 'vitest';
import { mayAnybody, type Openness, opennessFaults, PROTECTED } from '../../src/access/policy.ts';
import { NEEDS } from '../../src/rights/admission.ts';

/** Who has not said who he is: from this machine, a trusted address, elsewhere; and a browser in each of these places. */
const CALLERS = [
  ['loopback', false],
  ['trusted', false],
  ['remote', false],
  ['loopback', true],
  ['trusted', true],
  ['remote', true],
] as const;

const AUTH = { ...PROTECTED, auth: true };

describe('who may without a login', () => {
  it.each<readonly [need: (typeof NEEDS)[number] | 'none', how: string, open: Openness, may: string]>([
    // In the order of CALLERS: y or n, browsers after the bar.
    ['alive', 'by default', PROTECTED, 'yyy|yyy'],
    ['alive', 'with health closed', { ...AUTH, healthAuth: true }, 'yyy|yyy'],
    ['probe', 'by default', PROTECTED, 'yyy|yyy'],
    ['probe', 'with users', AUTH, 'yyy|yyy'],
    ['probe', 'with health closed', { ...AUTH, healthAuth: true }, 'yyn|yyn'],
    ['login', 'with users', AUTH, 'yyy|yyy'],
    ['read', 'by default', PROTECTED, 'yyy|yyy'],
    ['read', 'with reads protected', { ...PROTECTED, protectReads: true }, 'yyn|yyn'],
    ['read', 'with users', AUTH, 'nnn|nnn'],
    ['read', 'with users and trusted readers', { ...AUTH, trustReads: true }, 'yyn|nnn'],
    ['read', 'with users and trusted writers', { ...AUTH, trustWrites: true }, 'nnn|nnn'],
    ['write', 'by default', PROTECTED, 'yyn|ynn'],
    ['write', 'with open writes', { ...PROTECTED, openWrites: true }, 'yyy|yyy'],
    ['write', 'with users', AUTH, 'nnn|nnn'],
    ['write', 'with users and trusted writers', { ...AUTH, trustWrites: true }, 'yyn|nnn'],
    ['write', 'with users and trusted readers', { ...AUTH, trustReads: true }, 'nnn|nnn'],
    ['operate', 'by default', PROTECTED, 'ynn|ynn'],
    ['operate', 'with open writes', { ...PROTECTED, openWrites: true }, 'ynn|ynn'],
    ['operate', 'with trusted operators', { ...PROTECTED, trustOperate: true }, 'yyn|ynn'],
    ['operate', 'with users', AUTH, 'nnn|nnn'],
    ['operate', 'with users and all that is trusted', { ...AUTH, trustReads: true, trustWrites: true }, 'nnn|nnn'],
    ['self', 'by default', PROTECTED, 'nnn|nnn'],
    ['self', 'with users', AUTH, 'nnn|nnn'],
    ['admin', 'by default', PROTECTED, 'nnn|nnn'],
    ['admin', 'with open writes', { ...PROTECTED, openWrites: true, trustOperate: true }, 'nnn|nnn'],
    ['admin', 'with users', AUTH, 'nnn|nnn'],
    ['first-admin', 'by default', PROTECTED, 'nnn|nnn'],
    ['first-admin', 'with open writes', { ...PROTECTED, openWrites: true }, 'nnn|nnn'],
    ['first-admin', 'with users', AUTH, 'ynn|nnn'],
    ['first-admin', 'with users and all that is trusted', { ...AUTH, trustReads: true, trustWrites: true }, 'ynn|nnn'],
    ['none', 'by default', PROTECTED, 'nnn|nnn'],
    ['none', 'with open writes', { ...PROTECTED, openWrites: true, trustOperate: true }, 'nnn|nnn'],
  ])('%s, %s', (need, _, open, may) => {
    const told = CALLERS.map(([where, isBrowser]) =>
      mayAnybody(need === 'none' ? undefined : need, { where }, { isBrowser }, open),
    );
    const letters = told.map((yes) => (yes ? 'y' : 'n')).join('');
    expect(`${letters.slice(0, 3)}|${letters.slice(3)}`).toBe(may);
  });

  it('a browser never may what its address may not', () => {
    const flags = ['auth', 'openWrites', 'trustReads', 'trustWrites', 'trustOperate', 'protectReads', 'healthAuth'] as const;
    for (let bits = 0; bits < 2 ** flags.length; bits++) {
      const open = Object.fromEntries(flags.map((flag, i) => [flag, ((bits >> i) & 1) === 1]));
      for (const need of NEEDS)
        for (const where of ['loopback', 'trusted', 'remote'] as const)
          if (mayAnybody(need, { where }, { isBrowser: true }, { ...PROTECTED, ...open }))
            expect(mayAnybody(need, { where }, { isBrowser: false }, { ...PROTECTED, ...open })).toBe(true);
    }
  });
});

it.each<readonly [open: Partial<Openness>, faults: number]>([
  [{}, 0],
  [{ openWrites: true }, 0],
  [{ protectReads: true, trustOperate: true }, 0],
  [{ auth: true }, 0],
  [{ auth: true, trustReads: true, trustWrites: true, healthAuth: true }, 0],
  [{ auth: true, openWrites: true }, 1],
  [{ auth: true, openWrites: true, protectReads: true, trustOperate: true }, 3],
  [{ trustReads: true, trustWrites: true }, 2],
])('%j has so many contradictions: %i', (open, faults) => expect(opennessFaults({ ...PROTECTED, ...open })).toHaveLength(faults));
