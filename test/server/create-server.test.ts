import { expect, it } from 'vitest';
import { createServer, OptionsError } from '../../src/index.ts';
import { TLS_CERT } from '../support/health-clients.ts';
import { startServer } from '../support/server.ts';

it('a server whose options are not fit rejects with all that is wrong with them', async () => {
  const wrong = { minAvailable: '150%', maxListed: 0, pushDelayMs: -5, prot: 3 };
  const starting = createServer(wrong);
  await expect(starting).rejects.toThrow(OptionsError);
  await expect(starting).rejects.toMatchObject({
    faults: [
      'minAvailable must be a count from 1, or 1%..100%, got "150%"',
      'pushDelayMs must be 0..10000, got -5',
      'maxListed must be 1..100000000, got 0',
      'prot is not an option, did you mean port?',
    ],
  });
});

it.each([
  [{ cert: 'none', key: 'none' }, /^tls must have a cert and a key that go together, both in PEM: ./],
  [{ cert: TLS_CERT, key: TLS_CERT }, /^tls must have a cert and a key that go together, both in PEM: ./],
])('an identity that cannot be used is a fault of the options, and not of a port', async (tls, fault) => {
  const starting = startServer({ tls });
  await expect(starting).rejects.toThrow(OptionsError);
  await expect(starting).rejects.toThrow(fault);
});

it('what is no object is no options', async () => {
  const starting = Reflect.apply(createServer, undefined, [null]);
  await expect(starting).rejects.toThrow(new OptionsError(['the options must be an object, got null']));
});

it('a default service that no health name is called so is refused at the start, and not when a balancer asks', async () => {
  const starting = startServer({ defaultService: 'orders?groop=G1' });
  await expect(starting).rejects.toThrow(OptionsError);
  await expect(starting).rejects.toThrow(/^the default service must be NAME\[.*, got "orders\?groop=G1"$/);
});
