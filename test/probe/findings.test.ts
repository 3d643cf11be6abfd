import { expect, it } from 'vitest';
import { forgetFindings } from '../../src/probe/findings.ts';
import { Registry } from '../../src/registry/registry.ts';
import { orders, registration } from '../support/instances.ts';

it('where nothing is checked any more, no instance stays what a check has found of it before', () => {
  const registry = new Registry(() => 0);
  const refused = { verdict: 'failing', type: 'tcp', reason: 'refused' } as const;
  registry.register(orders, registration({ port: 1 }));
  registry.register(orders, registration({ port: 2, ephemeral: false }));
  registry.register(orders, registration({ port: 3, ephemeral: false, healthy: false }));
  for (const port of [1, 2]) registry.checked(orders, registration({ port }), refused);
  registry.checked(orders, registration({ port: 3 }), { verdict: 'unchecked', type: 'tcp', reason: 'address not allowed' });
  forgetFindings(registry);
  expect(registry.instances(orders)?.map(({ port, healthy, trouble }) => [port, healthy, trouble])).toEqual([
    [1, true, undefined],
    [2, true, undefined],
    // It says so itself.
    [3, false, undefined],
  ]);
});
