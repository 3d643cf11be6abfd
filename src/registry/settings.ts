import type { MinAvailable } from './available.ts';

/** What an operator has said of a service, beside its instances. Plain JSON throughout. */
export interface ServiceSettings {
  /** How many instances must be available; undefined: as many as the caller's default says. */
  readonly minAvailable: MinAvailable | undefined;
  /** How persistent instances are checked, by cluster; those of other clusters by `DEFAULT_CHECK`. Read own keys only. */
  readonly checks: Readonly<Record<string, Check>>;
  /** What only a surface understands, kept for it by its name; the surface knows the type. */
  readonly surfaces: Readonly<Record<string, unknown>>;
}

/** `port` undefined: the port of the instance itself. `none`: the health of an instance is what it is told. */
export type Check = CheckKind & { readonly port: number | undefined };

export type CheckKind =
  | { readonly type: 'tcp' }
  | { readonly type: 'http'; readonly path: string; readonly headers: string; readonly expectedResponseCode: number }
  | { readonly type: 'mysql'; readonly user: string; readonly password: string; readonly command: string }
  | { readonly type: 'none' };

export const DEFAULT_SETTINGS: ServiceSettings = { minAvailable: undefined, checks: {}, surfaces: {} };

export const DEFAULT_CHECK: Check = { type: 'tcp', port: undefined };
