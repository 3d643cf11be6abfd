import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Accounts } from '../../src/registry/accounts.ts';
import { AddressIndex } from '../../src/registry/address-index.ts';
import { DEFAULT_SILENCE } from '../../src/registry/instance.ts';
import type { Row } from '../../src/registry/row.ts';
import { type Service, Services } from '../../src/registry/services.ts';
import { orders, registration } from '../support/instances.ts';
import { randomRuns } from '../support/random.ts';

function setUp() {
  const rows: (Row | undefined)[] = [];
  const index = new AddressIndex(rows);
  const services = new Services(0, new Accounts());
  return {
    index,
    service: (name: string) => services.findOrAdd({ ...orders, name }),
    add(service: Service, ip: string, port: number, id = rows.length) {
      rows[id] = {
        ...registration({ ip, port }),
        service,
        account: service.account,
        silence: DEFAULT_SILENCE,
        holder: undefined,
      };
      index.add(id);
      return id;
    },
    delete(id: number) {
      index.delete(id);
      rows[id] = undefined;
    },
  };
}

const RUNS = randomRuns(300);

it(`an address is found as long as it is there, and under no other service, ip or port ${RUNS.title}`, {
  timeout: RUNS.timeoutMs,
}, () => {
  const ips = fc.constantFrom('', '10.0.0.1', '10.0.0.10', '::1', '中', '\ud800', 'a b');
  const places = fc.record({ name: fc.constantFrom('a', 'b', 'c'), ip: ips, port: fc.nat(30) });
  const steps = fc.array(fc.tuple(places, fc.boolean()), { maxLength: 300 });
  fc.assert(
    fc.property(steps, (all) => {
      const { index, service, ...room } = setUp();
      const model = new Map<string, number>();
      const freed: number[] = [];
      const keyOf = ({ name, ip, port }: { name: string; ip: string; port: number }) => `${name} ${port} ${ip}`;
      for (const [place, comes] of all) {
        const key = keyOf(place);
        const id = model.get(key);
        expect(index.find(service(place.name), place)).toBe(id);
        if (comes && id === undefined) {
          model.set(key, room.add(service(place.name), place.ip, place.port, freed.pop()));
        } else if (!comes && id !== undefined) {
          room.delete(id);
          freed.push(id);
          model.delete(key);
        }
        expect(index.count).toBe(model.size);
      }
      for (const [place] of all) expect(index.find(service(place.name), place)).toBe(model.get(keyOf(place)));
    }),
    RUNS.parameters,
  );
});

it('very many come, and go in another order', () => {
  const { index, service, ...room } = setUp();
  const one = service('one');
  const COUNT = 20_000;
  for (let port = 0; port < COUNT; port++) room.add(one, '10.0.0.1', port);
  // Every third stays.
  for (let port = COUNT - 1; port >= 0; port--) if (port % 3 > 0) room.delete(port);
  const found = Array.from({ length: COUNT }, (_, port) => index.find(one, { ip: '10.0.0.1', port }));
  expect(found).toEqual(Array.from({ length: COUNT }, (_, port) => (port % 3 > 0 ? undefined : port)));
});
