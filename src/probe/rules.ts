import type { ServiceName } from '../registry/service-name.ts';
import type { Pace } from './pace.ts';
import type { ActiveType } from './probed.ts';

/** What operators set of all checks while the server runs. */
export interface ProbeRules {
  /** Whether services are checked at all. */
  isOn(service: ServiceName): boolean;
  /** How often, by kind; ms. */
  paceOf(type: ActiveType): Pace;
  /** How many in a row heal or fell. */
  readonly times: number;
  /** Each time one of these may be another. */
  onChange(listener: () => void): void;
}

/** How long checks take, in milliseconds; zeros where none has been made. */
export interface CheckTimes {
  of(service: ServiceName, cluster: string): { readonly best: number; readonly worst: number; readonly normalized: number };
}
