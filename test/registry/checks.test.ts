import { describe, expect, it } from 'vitest';
import type { RegistryEvent } from '../../src/registry/changes.ts';
import { type AskedCheck, askedCheckOf } from '../../src/registry/check-metadata.ts';
import type { CheckTrouble } from '../../src/registry/checks.ts';
import { parseDuration } from '../../src/registry/duration.ts';
import { Registry } from '../../src/registry/registry.ts';
import { DEFAULT_SETTINGS } from '../../src/registry/settings.ts';
import { orders, registration } from '../support/instances.ts';

const REFUSED: CheckTrouble = { verdict: 'failing', type: 'tcp', reason: 'refused' };

function setUp(riseBeats = 1) {
  const clock = { ms: 1_000_000 };
  const registry = new Registry(() => clock.ms, { riseBeats });
  const events: RegistryEvent[] = [];
  registry.onEvent((event) => events.push(event));
  return {
    registry,
    events,
    wait(ms: number) {
      clock.ms += ms;
      registry.sweep();
    },
    isHealthy: () => registry.instance(orders, registration())?.healthy,
    beat: () => registry.beat(orders, registration()),
    check: (verdict: Parameters<Registry['checked']>[2]) => registry.checked(orders, registration(), verdict),
  };
}

describe('the check of an ephemeral instance', () => {
  it('takes it out while it fails, whatever beats it sends or registers again', () => {
    const { registry, isHealthy, beat, check } = setUp();
    registry.register(orders, registration());
    check(REFUSED);
    expect([isHealthy(), registry.tally(orders)]).toEqual([false, { total: 1, healthy: 0, available: 0 }]);
    beat();
    registry.register(orders, registration());
    expect(isHealthy()).toBe(false);
    expect(registry.instance(orders, registration())).toMatchObject({ trouble: REFUSED });
    check('passing');
    expect([isHealthy(), registry.tally(orders)]).toEqual([true, { total: 1, healthy: 1, available: 1 }]);
  });

  it('is no sign of life when it passes: silence takes the instance all the same', () => {
    const { registry, isHealthy, check, wait } = setUp();
    registry.register(orders, registration());
    wait(15_000);
    check('passing');
    expect(isHealthy()).toBe(false);
    wait(15_000);
    expect(registry.instance(orders, registration())).toBeUndefined();
  });

  it('is forgotten with the instance, and when it is not checked any more', () => {
    const { registry, isHealthy, check } = setUp();
    registry.register(orders, registration());
    check(REFUSED);
    registry.deregister(orders, registration());
    registry.register(orders, registration());
    expect(isHealthy()).toBe(true);
    check(REFUSED);
    check('unchecked');
    expect([isHealthy(), registry.instance(orders, registration())?.trouble]).toEqual([true, undefined]);
  });

  it('that cannot be made leaves the instance as it says itself, and says why', () => {
    const { registry, isHealthy, check } = setUp();
    registry.register(orders, registration());
    const trouble = { verdict: 'unchecked', type: 'tcp', reason: 'address not allowed' } as const;
    check(trouble);
    expect([isHealthy(), registry.instance(orders, registration())?.trouble]).toEqual([true, trouble]);
  });

  it('is told with which check it was and why', () => {
    const { registry, events, check } = setUp();
    registry.register(orders, registration());
    check(REFUSED);
    check({ ...REFUSED, reason: 'timed out' });
    check('passing');
    expect(events.slice(1).map(({ cause, from, to, trouble }) => ({ cause, from, to, trouble }))).toEqual([
      { cause: 'probe', from: 'healthy', to: 'unhealthy', trouble: REFUSED },
      { cause: 'probe', from: 'unhealthy', to: 'healthy', trouble: undefined },
    ]);
  });
});

describe('the check of a persistent instance', () => {
  it('decides alone, and what it decided stays when it is checked no more', () => {
    const { registry, isHealthy, check } = setUp();
    registry.register(orders, registration({ ephemeral: false }));
    check(REFUSED);
    expect(isHealthy()).toBe(false);
    registry.register(orders, registration({ ephemeral: false }));
    expect(isHealthy()).toBe(false);
    check('unchecked');
    expect(isHealthy()).toBe(false);
    check('passing');
    expect(isHealthy()).toBe(true);
  });

  it('does not reach over to the time when it is ephemeral', () => {
    const { registry, isHealthy, check } = setUp();
    registry.register(orders, registration({ ephemeral: false }));
    check(REFUSED);
    registry.register(orders, registration());
    expect([isHealthy(), registry.instance(orders, registration())?.trouble]).toEqual([true, undefined]);
  });
});

describe('an instance that was silent', () => {
  it('counts again after as many beats in a row as its service wants', () => {
    const { registry, isHealthy, beat, wait } = setUp();
    registry.configure(orders, { ...DEFAULT_SETTINGS, riseBeats: 3 });
    registry.register(orders, registration());
    wait(15_000);
    const seen = [];
    for (let i = 0; i < 3; i++) {
      beat();
      seen.push(isHealthy());
      wait(5_000);
    }
    expect(seen).toEqual([false, false, true]);
  });

  it('begins anew when it is silent again in between', () => {
    const { registry, isHealthy, beat, wait } = setUp(2);
    registry.register(orders, registration());
    wait(15_000);
    beat();
    wait(15_000);
    beat();
    expect(isHealthy()).toBe(false);
    wait(5_000);
    beat();
    expect(isHealthy()).toBe(true);
  });

  it('counts again at once when it registers', () => {
    const { registry, isHealthy, wait } = setUp(3);
    registry.register(orders, registration());
    wait(15_000);
    registry.register(orders, registration());
    expect(isHealthy()).toBe(true);
  });
});

describe('what an instance asks for in its metadata', () => {
  const asked = (check: AskedCheck['check'], more: Partial<AskedCheck> = {}) => ({
    intervalMs: undefined,
    timeoutMs: undefined,
    ...more,
    check,
  });
  const http = { type: 'http', headers: '', expectedResponseCode: 200, port: undefined } as const;
  const grpc = { type: 'grpc', port: undefined } as const;

  it.each([
    [{ 'health.check': 'tcp' }, asked({ type: 'tcp', port: undefined })],
    [{ 'health.check': 'http:/healthz?full=1' }, asked({ ...http, path: '/healthz?full=1', tls: false, verify: true })],
    [{ 'health.check': 'http' }, asked({ ...http, path: '/', tls: false, verify: true })],
    [{ 'health.check': 'https:/', 'health.check.verify': 'false' }, asked({ ...http, path: '/', tls: true, verify: false })],
    [{ 'health.check': 'grpc:a.B' }, asked({ ...grpc, service: 'a.B', tls: false, verify: true })],
    [{ 'health.check': 'grpc' }, asked({ ...grpc, service: '', tls: false, verify: true })],
    [{ 'health.check': 'grpcs:' }, asked({ ...grpc, service: '', tls: true, verify: true })],
    [
      {
        'health.check': 'http:/up',
        'health.check.port': '9000',
        'health.check.interval': '2s',
        'health.check.timeout': '300',
        'health.check.code': '204',
      },
      asked(
        { ...http, path: '/up', port: 9000, expectedResponseCode: 204, tls: false, verify: true },
        { intervalMs: 2_000, timeoutMs: 300 },
      ),
    ],
  ])('%j is read', (metadata, expected) => {
    expect(askedCheckOf({ other: 'x', ...metadata })).toEqual(expected);
  });

  it.each([
    [
      { 'health.check': 'htp:/x' },
      'health.check must be tcp, http:/path, https:/path, grpc:service or grpcs:service, got "htp:/x"',
    ],
    [{ 'health.check': 'http:healthz' }, 'got "http:healthz"'],
    [{ 'health.check': 'http://other/x' }, 'got "http://other/x"'],
    [{ 'health.check': 'http:/a\r\nHost: x' }, 'health.check must be'],
    [{ 'health.check': '' }, 'got ""'],
    [{ 'health.check': 'tcp:80' }, 'got "tcp:80"'],
    [{ 'health.check.port': '80' }, 'health.check.port means nothing without health.check'],
    [{ 'health.check': 'tcp', 'health.check.intervall': '1s' }, 'health.check.intervall is not known'],
    [{ 'health.check': 'tcp', 'health.check.port': '0' }, 'health.check.port must be 1..65535, got "0"'],
    [{ 'health.check': 'tcp', 'health.check.interval': '1ms' }, 'health.check.interval must be'],
    [{ 'health.check': 'tcp', 'health.check.timeout': '2h' }, 'health.check.timeout must be'],
    [
      { 'health.check': 'http:/x\r\nHost: a' },
      'health.check must be tcp, http:/path, https:/path, grpc:service or grpcs:service, got "http:/x  Host: a"',
    ],
    [{ 'health.check': 'http:/', 'health.check.code': '600' }, 'health.check.code must be 200..599, got "600"'],
    [{ 'health.check': 'tcp', 'health.check.code': '200' }, 'health.check.code is for http:/path and https:/path'],
    [{ 'health.check': 'https:/', 'health.check.verify': 'no' }, 'health.check.verify must be true or false, got "no"'],
  ])('%j is refused', (metadata, fault) => {
    expect(askedCheckOf(metadata)).toEqual({ fault: expect.stringContaining(fault) });
  });

  it.each([[{}], [{ 'health.checked': 'x' }], [{ version: '1' }]])('%j asks for nothing', (metadata) => {
    expect(askedCheckOf(metadata)).toBeUndefined();
  });
});

it.each([
  ['500ms', 500],
  ['5s', 5_000],
  [' 2m ', 120_000],
  ['1h', 3_600_000],
  ['250', 250],
  ['0', 0],
  ['25h', undefined],
  ['5 s', 5_000],
  ['-1s', undefined],
  ['1.5s', undefined],
  ['', undefined],
])('the duration %j is %s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});
