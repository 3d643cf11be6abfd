import type { MinAvailable } from './available.ts';
import type { Check } from './checks.ts';

/** What an operator has said of a service, beside its instances. Plain JSON throughout. */
export interface ServiceSettings {
  /** How many instances must be available; undefined: as many as the caller's default says. */
  readonly minAvailable: MinAvailable | undefined;
  /** How long a status must last before it is told; undefined: as long as the caller's default says. */
  readonly fallAfterMs: number | undefined;
  readonly riseAfterMs: number | undefined;
  /** After how many beats in a row an instance that was silent counts again; undefined: as the registry's default says. */
  readonly riseBeats: number | undefined;
  /** How persistent instances are checked, by cluster; those of other clusters by `DEFAULT_CHECK`. Read own keys only. */
  readonly checks: Readonly<Record<string, Check>>;
  /** What only a surface understands, kept for it by its name; the surface knows the type. */
  readonly surfaces: Readonly<Record<string, unknown>>;
}

/** The same with what belongs to surfaces beside the rest, for whoever tells what is another now. */
export function plain({ surfaces, ...own }: ServiceSettings): object {
  return { ...own, ...surfaces };
}

export const DEFAULT_SETTINGS: ServiceSettings = {
  minAvailable: undefined,
  fallAfterMs: undefined,
  riseAfterMs: undefined,
  riseBeats: undefined,
  checks: {},
  surfaces: {},
};
