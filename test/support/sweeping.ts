import type { Registry } from '../../src/registry/registry.ts';

/** Lets time pass and sweeps whenever something is due, as the owner of a registry does. */
export function passSweeping(registry: Registry, clock: { ms: number }, ms: number): void {
  const end = clock.ms + ms;
  for (let next = registry.nextDue; next !== undefined && next <= end; next = registry.nextDue) {
    clock.ms = Math.max(clock.ms, next);
    registry.sweep();
  }
  clock.ms = end;
}
