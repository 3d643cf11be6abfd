import type { Registry } from '../registry/registry.ts';

/**
 * Nothing is checked, from the start on: what checks had found before is found by nobody any more. An instance is as it says itself, and
 * whoever says that it is persistent says that it is there.
 */
export function forgetFindings(registry: Registry): void {
  for (const { service, address, ephemeral, trouble } of registry.records.troubled()) {
    registry.checked(service, address, 'unchecked');
    if (!ephemeral && trouble.verdict === 'failing') registry.report(service, address, true);
  }
}
