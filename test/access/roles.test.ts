import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { covers, type Deed, grantOfRole, grantOfRule, isRoleName } from '../../src/access/roles.ts';
import type { Scope } from '../../src/rights/admission.ts';
import { randomRuns } from '../support/random.ts';

const ORDERS: Scope = { namespace: 'public', group: 'G1', kind: 'naming', name: 'orders' };

describe('a role', () => {
  it.each<readonly [role: string, deed: Deed, scope: Scope, may: boolean]>([
    ['reader', 'read', ORDERS, true],
    ['reader', 'read', {}, true],
    ['reader', 'write', ORDERS, false],
    ['writer', 'write', ORDERS, true],
    ['writer', 'read', {}, true],
    ['writer', 'operate', ORDERS, false],
    ['admin', 'operate', {}, true],
    ['ROLE_ADMIN', 'operate', {}, true],
    ['writer@public', 'write', ORDERS, true],
    ['writer@public', 'write', { namespace: 'public' }, true],
    ['writer@public', 'write', { ...ORDERS, namespace: 'public2' }, false],
    ['writer@public', 'write', { ...ORDERS, namespace: 'PUBLIC' }, false],
    ['writer@public', 'write', {}, false],
    ['writer@public', 'operate', ORDERS, false],
    ['writer@public:G1', 'write', ORDERS, true],
    ['writer@public:G1', 'write', { ...ORDERS, group: 'G2' }, false],
    ['writer@public:G1', 'write', { ...ORDERS, group: 'G1x' }, false],
    ['writer@public:G1', 'read', { namespace: 'public' }, false],
    ['admin@dev', 'operate', { ...ORDERS, namespace: 'dev' }, true],
    ['admin@dev', 'operate', ORDERS, false],
    ['admin@dev', 'operate', {}, false],
  ])('%s may %s %j: %s', (role, deed, scope, may) => {
    const grant = grantOfRole(role);
    expect(grant !== undefined && covers([grant], deed, scope)).toBe(may);
  });

  it.each(['', 'Reader', 'reader@', 'reader@a:', 'reader@a b', 'reader@*', 'writer@a:*', 'reader@a@b', 'role_admin', 'admin '])(
    '"%s" is none of ours',
    (role) => expect(grantOfRole(role)).toBeUndefined(),
  );

  it.each<readonly [name: string, is: boolean]>([
    ['auditor', true],
    ['ops-team.1', true],
    ['writer@dev', true],
    ['', false],
    ['Writer', false],
    ['ADMIN', false],
    ['writer@', false],
    ['a:b', false],
    ['a'.repeat(65), false],
  ])('"%s" can be a name: %s', (name, is) => expect(isRoleName(name)).toBe(is));
});

describe('a rule', () => {
  it.each<readonly [resource: string, action: string, deed: Deed, scope: Scope, may: boolean]>([
    [':G1:naming/*', 'rw', 'write', ORDERS, true],
    ['public:G1:naming/*', 'wr', 'read', ORDERS, true],
    [':G1:naming/*', 'r', 'write', ORDERS, false],
    [':G1:naming/*', 'w', 'read', ORDERS, false],
    [':G1:naming/*', 'rw', 'operate', ORDERS, false],
    [':G1:naming/*', 'rw', 'write', { ...ORDERS, kind: 'config' }, false],
    [':G1:naming/*', 'rw', 'write', { ...ORDERS, group: 'G11' }, false],
    [':G1:naming/*', 'rw', 'write', { ...ORDERS, namespace: 'ns9' }, false],
    [':G1:naming/*', 'rw', 'read', { namespace: 'public', kind: 'naming' }, false],
    [':G1:naming/ord*', 'rw', 'write', ORDERS, true],
    [':G1:naming/ord*', 'rw', 'write', { ...ORDERS, name: 'or' }, false],
    [':G1:naming/orders', 'rw', 'write', { ...ORDERS, name: 'orders2' }, false],
    [':G1:naming/ord.rs', 'rw', 'write', ORDERS, false],
    [':G1:*/orders', 'rw', 'write', ORDERS, true],
    [':G1:*', 'rw', 'write', { ...ORDERS, kind: 'config' }, true],
    ['*:*:*', 'r', 'read', {}, true],
    ['dev:*:*', 'r', 'read', { namespace: 'dev' }, true],
    ['dev*:*:*', 'r', 'read', { namespace: 'dev-2' }, true],
    // Dubbo's names have colons in them, and so may a group.
    [':DEFAULT_GROUP:naming/providers:com.shop.Orders:1.0.0:', 'w', 'write', named('providers:com.shop.Orders:1.0.0:'), true],
    [':DEFAULT_GROUP:naming/providers:*', 'w', 'write', named('providers:com.shop.Orders:1.0.0:'), true],
    [':a:b:naming/*', 'w', 'write', { ...ORDERS, group: 'a:b' }, true],
    [':G1:naming/x:naming/y', 'w', 'write', { ...ORDERS, name: 'x:naming/y' }, true],
  ])('%s %s lets %s %j: %s', (resource, action, deed, scope, may) => {
    const grant = grantOfRule(resource, action);
    expect(grant).toBeDefined();
    expect(grant !== undefined && covers([grant], deed, scope)).toBe(may);
  });

  it.each<readonly [resource: string, action: string]>([
    ['', 'r'],
    ['*', 'r'],
    ['console/users', 'r'],
    ['public:*', 'r'],
    ['a:b:c', 'r'],
    [':G1:naming/', 'r'],
    ['::naming/*', 'r'],
    [':*G:naming/*', 'r'],
    [':G*x:naming/*', 'r'],
    [':G**:naming/*', 'r'],
    [':(a+)+$:naming/*x', 'r'],
    [':G1:naming/*', 'x'],
    [':G1:naming/*', ''],
    [':G1:naming/*', 'rr'],
    [':G1:naming/*', 'RW'],
    [`:${'G'.repeat(1_024)}:naming/*`, 'r'],
  ])('"%s" %s is refused', (resource, action) => expect(grantOfRule(resource, action)).toBeUndefined());

  const { parameters, title, timeoutMs } = randomRuns(2_000);
  it(`for one group never covers another, whatever the two are called ${title}`, { timeout: timeoutMs }, () => {
    const group = fc.stringMatching(/^[a-zA-Z0-9.:_-]{1,12}$/);
    fc.assert(
      fc.property(group, group, fc.string(), (one, other, name) => {
        const grant = grantOfRule(`ns:${one}:naming/*`, 'rw');
        const may = grant !== undefined && covers([grant], 'write', { namespace: 'ns', group: other, kind: 'naming', name });
        expect(may).toBe(one === other);
      }),
      parameters,
    );
  });
});

function named(name: string): Scope {
  return { namespace: 'public', group: 'DEFAULT_GROUP', kind: 'naming', name };
}
