import { describe, expect, it } from 'vitest';
import { History } from '../../src/events/history.ts';
import { KeptEvents } from '../../src/events/kept-events.ts';
import type { NewRecord } from '../../src/events/record.ts';
import { at, ORDERS, SHOP } from '../support/events-room.ts';

/** What is on disk: written from what is touched, as a store does, at the moment of `write`. */
class Disk {
  readonly values = new Map<string, unknown>();
  readonly touched = new Set<string>();
}

/** A life of the process over a disk. Of services three are kept, of all so many. */
function live(disk: Disk, maxEvents = 5) {
  const history = new History({
    maxEvents,
    maxEventsOfService: 3,
    wallClock: () => 1_000,
    onListenerError: (error) => expect(error).toBe('none'),
  });
  const kept = new KeptEvents(history, maxEvents);
  kept.restore([...disk.values]);
  kept.onChange((key) => disk.touched.add(key));
  const write = () => {
    for (const key of disk.touched) {
      const value = kept.read(key);
      if (value === undefined) disk.values.delete(key);
      else disk.values.set(key, JSON.parse(JSON.stringify(value)));
    }
    disk.touched.clear();
  };
  // That it ended in order is taken back at once.
  write();
  return {
    history,
    add: (...said: Partial<NewRecord>[]) => said.map((one) => history.add({ kind: 'service', cause: 'created', ...one }).seq),
    all: () => [...history.after(0)].map(({ seq }) => seq),
    of: (service = ORDERS) => history.lastOf(service).map(({ seq }) => seq),
    write,
    read: kept.read,
    end() {
      kept.end();
      write();
    },
  };
}

const others = (count: number) => Array.from({ length: count }, () => ({ kind: 'registry', cause: 'postponed' }) as const);

describe('what happened', () => {
  it('is there after a restart as it was, and numbers go on', () => {
    const disk = new Disk();
    const before = live(disk);
    before.add({ service: ORDERS, detail: { a: 1 } }, ...others(6), {
      service: SHOP,
      kind: 'instance',
      instances: [at(1)],
      count: 1,
    });
    expect([before.all(), before.of(), before.of(SHOP)]).toEqual([[4, 5, 6, 7, 8], [1], [8]]);
    before.end();
    const after = live(disk);
    expect([after.all(), after.of(), after.of(SHOP)]).toEqual([[4, 5, 6, 7, 8], [1], [8]]);
    expect(after.history.find(8)).toEqual(before.history.find(8));
    expect(after.add({ service: ORDERS })).toEqual([9]);
    expect(after.of()).toEqual([1, 9]);
  });

  it('of services outlives the last of all, and goes with the service', () => {
    const disk = new Disk();
    const before = live(disk);
    before.add({ service: ORDERS }, { service: ORDERS }, { service: ORDERS }, { service: ORDERS }, ...others(9));
    before.write();
    expect([...disk.values.keys()].filter((key) => key.startsWith('o'))).toHaveLength(3);
    before.history.forget(ORDERS);
    before.end();
    expect([...disk.values.keys()].sort()).toEqual(['end', 'l0', 'l1', 'l2', 'l3', 'l4']);
    expect(live(disk).of()).toEqual([]);
  });

  it('is lost as far as it was not written when the process is killed, and no number is given twice', () => {
    const disk = new Disk();
    const before = live(disk);
    before.add(...others(3));
    before.write();
    before.add(...others(2));
    const after = live(disk);
    expect(after.all()).toEqual([1, 2, 3]);
    const [next = 0] = after.add(...others(1));
    expect(next).toBeGreaterThan(5);
    expect([...after.history.after(2)].map(({ seq }) => seq)).toEqual([3, next]);
    expect([after.history.find(3)?.seq, after.history.find(4)]).toEqual([3, undefined]);
    after.end();
    expect(live(disk).all()).toEqual([1, 2, 3, next]);
  });

  it('has other numbers than a life that was killed before it had written any record', () => {
    const disk = new Disk();
    const given = new Set<number>();
    for (let i = 0; i < 3; i++)
      for (const seq of live(disk).add(...others(3))) {
        expect(given).not.toContain(seq);
        given.add(seq);
      }
    const ended = live(disk);
    const [last = 0] = ended.add(...others(1));
    ended.end();
    expect(live(disk).add(...others(1))).toEqual([last + 1]);
  });

  it('has numbers that are set aside before they are given, however many there are', () => {
    const disk = new Disk();
    const before = live(disk);
    let last = 0;
    for (let i = 0; i < 300; i++) {
      [last = 0] = before.add(...others(1_000)).slice(-1);
      // That alone must be on disk at once.
      const upTo = disk.values.get('end');
      if (disk.touched.delete('end')) disk.values.set('end', before.read('end'));
      expect(upTo).toMatchObject({ upTo: expect.toSatisfy((number: number) => number > last) });
    }
    expect(live(disk).add(...others(1))[0]).toBeGreaterThan(last);
  });

  it('of a version that set nothing aside goes on as far behind it as it kept records', () => {
    const disk = new Disk();
    const before = live(disk);
    before.add(...others(3));
    before.write();
    disk.values.delete('end');
    expect(live(disk).add(...others(1))).toEqual([9]);
  });

  it.each([1, 2, 3, 4, 5, 7, 8, 20])('survives that other limits are set: from 5 to %i', (maxEvents) => {
    const disk = new Disk();
    const before = live(disk);
    before.add({ service: ORDERS }, ...others(7));
    before.end();
    let all = before.all();
    for (let i = 0; i < 3; i++) {
      const after = live(disk, maxEvents);
      expect(after.all()).toEqual(all.slice(-maxEvents));
      after.add(...others(i));
      all = after.all();
      after.end();
    }
    expect(disk.values.size).toBeLessThanOrEqual(2 * maxEvents + 1);
  });

  it.each<[string, unknown]>([
    ['no record', 7],
    ['a record without a number', { at: 1, kind: 'bridge', cause: 'started' }],
    ['a cause that is not known', { seq: 2, at: 1, kind: 'bridge', cause: 'eclipse' }],
    ['a cause that everything has', { seq: 2, at: 1, kind: 'bridge', cause: 'constructor' }],
    ['a kind that is not known', { seq: 2, at: 1, kind: 'planet', cause: 'started' }],
    ['a time that is none', { seq: 2, at: 1e300, kind: 'bridge', cause: 'started' }],
    ['a service that has no name', { seq: 2, at: 1, kind: 'service', cause: 'created', service: { namespace: 'public' } }],
    ['instances that are none', { seq: 2, at: 1, kind: 'instance', cause: 'silent', instances: [null] }],
    ['detail that is none', { seq: 2, at: 1, kind: 'bridge', cause: 'started', detail: 'x' }],
  ])('is dropped where it cannot be read, and hurts nothing else: %s', (_, value) => {
    const disk = new Disk();
    const before = live(disk);
    before.add(...others(1));
    before.end();
    disk.values.set('l2', value);
    const after = live(disk);
    expect(after.all()).toEqual([1]);
    expect(disk.values.has('l2')).toBe(false);
  });

  it('names no more than the first twenty instances of a record', () => {
    const disk = new Disk();
    const before = live(disk);
    before.add({ service: ORDERS, kind: 'instance', count: 900, instances: Array.from({ length: 900 }, (_, i) => at(i)) });
    before.end();
    expect(live(disk).history.find(1)).toMatchObject({ count: 900, instances: { length: 20 } });
  });

  it('of very many services is on disk what is kept of them, after each restart too', () => {
    const disk = new Disk();
    const services = Array.from({ length: 30 }, (_, i) => ({ ...ORDERS, name: `s${i % 13}` }));
    let before = live(disk);
    for (let life = 0; life < 4; life++) {
      for (const service of services) before.add({ service }, ...others(life));
      before.history.forget({ ...ORDERS, name: `s${life}` });
      const kept = [...before.history.services()].map((service) => before.of(service));
      before.end();
      const older = kept.flat().filter((seq) => seq < before.history.oldestSeq);
      // Five outlive the last of all, less what is forgotten.
      expect([4, 5]).toContain(older.length);
      const written = [...disk.values].filter(([key]) => key.startsWith('o')).map(([, value]) => value);
      expect(new Set(written.map((record) => (record as { readonly seq: number }).seq))).toEqual(new Set(older));
      before = live(disk);
      // What of it is among the last of all comes back, and is no service's once the services are known.
      before.history.forget({ ...ORDERS, name: `s${life}` });
      expect([...before.history.services()].map((service) => before.of(service)).sort()).toEqual(kept.sort());
    }
  });

  it('of services is kept over a restart that keeps fewer, as many as outlive then', () => {
    const disk = new Disk();
    const before = live(disk, 8);
    for (let i = 0; i < 16; i++) before.add({ service: { ...ORDERS, name: `s${i}` } });
    before.end();
    const after = live(disk, 4);
    after.end();
    expect([...after.history.services()].flatMap((service) => after.of(service))).toEqual([9, 10, 11, 12, 13, 14, 15, 16]);
    expect([...live(disk, 4).history.services()]).toHaveLength(8);
  });

  it('leaves no more to be written than is kept, however long nothing can be', () => {
    const disk = new Disk();
    const it = live(disk);
    for (let i = 0; i < 1_000; i++) it.add({ service: { ...ORDERS, name: `s${i % 50}` } }, ...others(i % 3));
    expect(disk.touched.size).toBeLessThanOrEqual(10);
  });
});
