import type { ServiceName } from '../registry/service-name.ts';
import { isProvider } from './dubbo.ts';
import { BAD_NAME } from './endpoints.ts';
import type { Health } from './health.ts';
import type { ServiceSelector } from './names.ts';
import type { Status } from './status.ts';

/** How a name reads and what it means now, for whoever wonders why it has the status that it has. */
export interface Resolved {
  /** Why it is none. */
  readonly fault?: string;
  /** Undefined: it is none, or the bridge. */
  readonly selector?: ServiceSelector;
  readonly status?: Status;
  /** By which of its readings it is found; `none`: by none of them. */
  readonly by?: 'bridge' | 'service' | 'dubbo' | 'application' | 'none';
  /** What it means, known or not. */
  readonly services: Iterable<ServiceName>;
}

export function resolvedOf(health: Pick<Health, 'nameFrom' | 'statusOf' | 'countsOf' | 'servicesOf'>, text: string): Resolved {
  const name = health.nameFrom(text);
  if (name === undefined) return { fault: BAD_NAME, services: [] };
  const status = health.statusOf(name);
  if (name === 'bridge') return { status, by: 'bridge', services: [] };
  if (health.countsOf(name.service) !== undefined) return { selector: name, status, by: 'service', services: [name.service] };
  if (name.dubbo === undefined) return { selector: name, status, by: 'none', services: [] };
  const [first] = health.servicesOf(name);
  const by = first === undefined ? 'none' : isProvider(first) ? 'dubbo' : 'application';
  return { selector: name, status, by, services: health.servicesOf(name) };
}
