import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeJson } from '../../src/nacos/doubles.ts';
import { KeptTexts } from '../../src/nacos/kept-texts.ts';
import { type ListKind, type ListMoment, ListText } from '../../src/nacos/list-text.ts';
import { Lists } from '../../src/nacos/lists.ts';
import { silenceOf } from '../../src/nacos/rules.ts';
import { DEFAULT_NACOS_SETTINGS, type NacosSettings, toServiceSettings } from '../../src/nacos/settings.ts';
import { AT_A_TIME } from '../../src/nacos/turns.ts';
import { hostView } from '../../src/nacos/views.ts';
import { Walks } from '../../src/nacos/walks.ts';
import type { Registration } from '../../src/registry/instance.ts';
import { Registry } from '../../src/registry/registry.ts';
import { orders, registration } from '../support/instances.ts';
import { LIMITS } from '../support/limits.ts';
import { hostsModel, infoModel, listModel } from '../support/list-model.ts';
import { NASTY_TEXTS } from '../support/nasty-texts.ts';
import { randomRuns } from '../support/random.ts';
import { ManualScheduler } from '../support/scheduler.ts';

const KIND: ListKind = { clusters: [], clustersVerbatim: '', healthyOnly: false, grouped: true };
const MOMENT: ListMoment = { cacheMillis: 3_000, lastRefTime: 7, env: '' };

function setUp() {
  const scheduler = new ManualScheduler();
  const registry = new Registry(scheduler.now, { silenceOf });
  const lists = new Lists({ registry, walks: new Walks({ scheduler, now: scheduler.now, limits: LIMITS }) });
  return { scheduler, registry, lists };
}

/** A list that is made at once. */
function atOnce<T>(made: T | Promise<T>): T {
  if (made instanceof Promise) throw new Error('it takes several turns');
  return made;
}

describe('a list', () => {
  const some = [
    registration({ port: 1 }),
    registration({ port: 2, healthy: false, cluster: 'C2' }),
    registration({ port: 3, enabled: false }),
    registration({ port: 4, cluster: 'C2', weight: 0 }),
  ];

  it.each<[string, Partial<ListKind>, Partial<NacosSettings>, string]>([
    ['shows all but the disabled, the unhealthy first', {}, {}, '2! 1 4'],
    ['shows the healthy on demand', { healthyOnly: true }, {}, '1 4'],
    ['shows one cluster', { clusters: ['C2'] }, {}, '2! 4'],
    ['shows two clusters', { clusters: ['C2', 'DEFAULT'] }, {}, '2! 1 4'],
    ['shows a cluster that nobody is in as empty', { clusters: ['C3'] }, {}, ''],
    ['protects where the threshold is reached', {}, { protectThreshold: 0.7 }, '1 2 4'],
    ['protects those that are asked for only', { clusters: ['C2'] }, { protectThreshold: 0.5 }, '2 4'],
    ['does not protect where enough are healthy', {}, { protectThreshold: 0.6 }, '2! 1 4'],
    ['does not protect without a threshold', { clusters: ['C2'] }, { protectThreshold: 0 }, '2! 4'],
  ])('%s', (_, kind, settings, ports) => {
    const { registry, lists } = setUp();
    for (const one of some) registry.register(orders, one);
    registry.configure(orders, toServiceSettings({ ...DEFAULT_NACOS_SETTINGS, ...settings }));
    const { hosts } = JSON.parse(atOnce(lists.of(orders, { ...KIND, ...kind })).at(MOMENT).json);
    const shown = hosts.map(({ port, healthy }: { port: number; healthy: boolean }) => `${port}${healthy ? '' : '!'}`);
    expect(shown.join(' ')).toBe(ports);
  });

  it('of none protects none', () => {
    const { registry, lists } = setUp();
    registry.configure(orders, toServiceSettings({ ...DEFAULT_NACOS_SETTINGS, protectThreshold: 1 }));
    const list = JSON.parse(atOnce(lists.of(orders, KIND)).at(MOMENT).json);
    expect(list).toMatchObject({ hosts: [], reachProtectionThreshold: false });
  });

  it.each([
    [true, 'DEFAULT_GROUP@@orders'],
    [false, 'orders'],
  ])('calls the service by its name, grouped: %s', (grouped, shown) => {
    const { registry, lists } = setUp();
    registry.register(orders, registration());
    const { name, dom, hosts } = JSON.parse(atOnce(lists.of(orders, { ...KIND, grouped })).at(MOMENT).json);
    expect([name, dom, hosts[0]?.serviceName]).toEqual(['DEFAULT_GROUP@@orders', shown, shown]);
  });

  const RUNS = randomRuns(3_000);
  const text = fc.oneof(
    fc.constantFrom(...NASTY_TEXTS.map((nasty) => nasty.slice(0, 50))),
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom('DEFAULT', 'C2', '10.0.0.1', '::1'),
  );
  const weight = fc.oneof(fc.constantFrom(0, 1, 0.01, 10_000, 0.5, 1e-7), fc.double({ min: 0, max: 10_000, noNaN: true }));
  const silence = fc.constantFrom({}, { 'preserved.heart.beat.interval': '700' }, { 'preserved.ip.delete.timeout': '60000' });
  const registrations: fc.Arbitrary<Registration[]> = fc.array(
    fc
      .record({ ip: text, port: fc.nat(3), cluster: text, ephemeral: fc.boolean(), weight, enabled: fc.boolean() })
      .chain((said) =>
        fc
          .tuple(fc.dictionary(text, text, { maxKeys: 3 }), silence, fc.boolean())
          .map(([metadata, more, healthy]) => ({ ...said, healthy, metadata: { ...metadata, ...more } })),
      ),
    { maxLength: 8 },
  );
  const moments = fc.record({ cacheMillis: fc.nat(), lastRefTime: fc.constantFrom(0, 1_700_000_000_000), env: text });

  it(`is the very text of its views, whoever is in it and whatever is asked ${RUNS.title}`, {
    timeout: RUNS.timeoutMs,
  }, () => {
    const asked = fc.record({ healthyOnly: fc.boolean(), grouped: fc.boolean(), clustersVerbatim: text });
    const settings = fc.record({
      protectThreshold: fc.constantFrom(0, 0.3, 1),
      metadata: fc.dictionary(text, text, { maxKeys: 2 }),
    });
    const services = fc.record({ namespace: fc.constant('public'), group: text, name: text });
    fc.assert(
      fc.property(
        services,
        registrations,
        settings,
        asked,
        moments,
        (service, those, said, { clustersVerbatim, ...kind }, moment) => {
          const { registry, lists } = setUp();
          for (const one of those) registry.register(service, one);
          const settingsNow = { ...DEFAULT_NACOS_SETTINGS, ...said };
          registry.configure(service, toServiceSettings(settingsNow));
          const clusters = clustersVerbatim.split(',').filter((cluster) => cluster !== '');
          const query = { ...kind, clusters, clustersVerbatim };
          const instances = registry.instances(service) ?? [];
          const model = listModel(service, instances, { ...query, ...moment }, settingsNow);
          // The second one is the one that was kept.
          for (const list of [atOnce(lists.of(service, query)), atOnce(lists.of(service, query))]) {
            const written = list.at(moment);
            expect(written.json).toBe(writeJson(model));
            expect(written.bytes).toBe(Buffer.byteLength(written.json));
            expect(list.isEmpty).toBe(hostsModel(instances, clusters).length === 0);
            expect(list.isOfNobody).toBe(!instances.some(({ cluster }) => clusters.length === 0 || clusters.includes(cluster)));
          }
          const info = atOnce(lists.of(service, { ...query, grouped: true })).infoAt(moment);
          expect(info.join('')).toBe(writeJson(infoModel(service, instances, { ...query, ...moment }, settingsNow)));
          const bare = atOnce(lists.hostsOf(service, clusters));
          expect(bare.json).toBe(writeJson(hostsModel(instances, clusters).map((instance) => hostView(service, instance))));
          expect(bare.bytes).toBe(Buffer.byteLength(bare.json));
        },
      ),
      RUNS.parameters,
    );
  });
});

describe('what is kept of lists', () => {
  it('is the same text until the service changes', () => {
    const { registry, lists } = setUp();
    registry.register(orders, registration());
    const first = lists.of(orders, KIND);
    registry.beat(orders, registration());
    registry.register({ ...orders, name: 'payments' }, registration());
    expect(lists.of(orders, KIND)).toBe(first);
    registry.register(orders, registration({ port: 1 }));
    expect(lists.of(orders, KIND)).not.toBe(first);
  });

  it('is nothing of a service that is not known, and of one that has gone', () => {
    const { registry, lists } = setUp();
    atOnce(lists.of(orders, KIND));
    expect(lists.keptBytes).toBe(0);
    registry.register(orders, registration());
    atOnce(lists.of(orders, KIND));
    atOnce(lists.hostsOf(orders, []));
    expect(lists.keptBytes).toBeGreaterThan(500);
    registry.drop(orders);
    expect(lists.keptBytes).toBe(0);
  });

  it('is bounded, whatever clusters callers name', () => {
    const { registry, lists } = setUp();
    registry.register(orders, registration());
    for (let i = 0; i < 1_000; i++) atOnce(lists.of(orders, { ...KIND, clusters: [], clustersVerbatim: `C${i}` }));
    expect(lists.keptBytes).toBeLessThan(20_000);
  });

  it('is bounded over all services, and one that is too large is not kept', () => {
    const { registry } = setUp();
    const texts = new KeptTexts<{ readonly bytes: number }>(registry, 1_000, 250);
    const services = Array.from({ length: 10 }, (_, i) => ({ ...orders, name: `s${i}` }));
    for (const service of services) texts.keep(service, '', { bytes: 200 });
    expect(texts.bytes).toBe(1_000);
    expect(services.map((service) => texts.get(service, '') !== undefined)).toEqual(services.map((_, i) => i >= 5));
    texts.keep(orders, '', { bytes: 251 });
    expect([texts.bytes, texts.get(orders, '')]).toEqual([1_000, undefined]);
  });
});

describe('a list of very many', () => {
  const COUNT = 3 * AT_A_TIME;

  function crowded() {
    const room = setUp();
    for (let port = 0; port < COUNT; port++) room.registry.register(orders, registration({ port }));
    return room;
  }

  it('is made in several turns, and is what it would be else', async () => {
    const { registry, lists, scheduler } = crowded();
    const settings = { ...DEFAULT_NACOS_SETTINGS, protectThreshold: 0.5 };
    registry.configure(orders, toServiceSettings(settings));
    const list = lists.of(orders, KIND);
    expect(list).toBeInstanceOf(Promise);
    scheduler.advance(0);
    const made = await list;
    expect(made).toBeInstanceOf(ListText);
    const written = made.at(MOMENT);
    expect(written.pieces.length).toBeGreaterThan(1);
    const model = listModel(orders, registry.instances(orders) ?? [], { ...KIND, ...MOMENT }, settings);
    expect(written.json).toBe(writeJson(model));
    expect(written.bytes).toBe(Buffer.byteLength(written.json));
    expect(lists.of(orders, KIND)).toBe(made);
  });

  it('is made once for all who ask meanwhile', () => {
    const { registry, lists } = crowded();
    const first = lists.of(orders, KIND);
    expect(lists.of(orders, KIND)).toBe(first);
    registry.register(orders, registration({ port: 1, weight: 2 }));
    expect(lists.of(orders, KIND)).not.toBe(first);
  });

  it('leaves out who has gone meanwhile, and is not kept then', async () => {
    const { registry, lists, scheduler } = crowded();
    const list = lists.hostsOf(orders, []);
    registry.deregister(orders, registration({ port: COUNT - 1 }));
    scheduler.advance(0);
    const hosts = JSON.parse((await list).json);
    expect(hosts.length).toBe(COUNT - 1);
    expect(lists.keptBytes).toBe(0);
  });
});
