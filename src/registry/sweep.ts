import type { Draining } from './draining.ts';
import type { Instances } from './instances.ts';
import type { Parts } from './parts.ts';
import type { ServiceName } from './service-name.ts';

/** What time alone changes: silence, services without instances, and drains that are over. */
export interface Sweeping {
  readonly parts: Parts;
  readonly instances: Instances;
  readonly draining: Draining;
  /** Silence has no effect now, and what is empty is not forgotten. */
  readonly isSuspended: boolean;
}

/** The clock's time before which there is nothing to do; undefined when there is nothing to wait for. */
export function nextDue({ lease, services, drains }: Parts, isSuspended: boolean): number | undefined {
  const ofSilence = isSuspended ? lease.nextLost : Math.min(lease.nextDue, services.nextDue);
  const next = Math.min(ofSilence, drains.nextDue);
  return next === Number.POSITIVE_INFINITY ? undefined : next;
}

/** Applies what is due by now, or some of it where that is very much, then names each service once. One scan of all. */
export function sweep({ parts, instances, draining, isSuspended }: Sweeping): 'done' | 'more' {
  const { lease, rows, services, changes } = parts;
  const [now, changed] = [parts.now(), new Set<ServiceName>(draining.fallDue(parts.now()))];
  for (const due of isSuspended ? lease.lost(now) : lease.due(now)) {
    const { name } = rows.row(due.id).service;
    if (instances.fallDue(due)) changed.add(name);
  }
  for (const service of isSuspended ? [] : services.forgetEmptied(now)) {
    instances.happenedTo(service.name, 'forgotten');
    changed.add(service.name);
  }
  for (const name of changed) changes.changed(name);
  return lease.hasMore ? 'more' : 'done';
}
