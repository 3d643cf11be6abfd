import type { Registration } from '../../src/registry/instance.ts';
import type { ServiceName } from '../../src/registry/service-name.ts';

/** Where a name belongs that does not say it itself. */
export const HOME = { namespace: 'public', group: 'DEFAULT_GROUP' };

export const orders: ServiceName = { namespace: 'public', group: 'DEFAULT_GROUP', name: 'orders' };

export function registration(overrides: Partial<Registration> = {}): Registration {
  return {
    ip: '10.0.0.1',
    port: 8080,
    cluster: 'DEFAULT',
    ephemeral: true,
    weight: 1,
    enabled: true,
    healthy: true,
    metadata: {},
    ...overrides,
  };
}
