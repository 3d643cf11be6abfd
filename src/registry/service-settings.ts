import type { Metadata } from './instance.ts';

/** What an operator has said of a service, beside its instances. */
export interface ServiceSettings {
  readonly metadata: Metadata;
  /** 0..1: consumers are to see all instances as healthy when no larger share of them is. 0: never. Health itself knows nothing of it. */
  readonly protectThreshold: number;
  /** As it was written, for whoever reads it back; instances are not chosen by it here. */
  readonly selector: Readonly<Record<string, unknown>>;
  readonly clusters: ReadonlyMap<string, ClusterSettings>;
}

export interface ClusterSettings {
  readonly metadata: Metadata;
  readonly check: Check;
  /** Where to check when it is not the port of the instance. */
  readonly checkPort: number;
  readonly useInstancePort: boolean;
}

/** How persistent instances of a cluster are checked. `none`: their health is what they are told. */
export type Check =
  | { readonly type: 'tcp' }
  | { readonly type: 'http'; readonly path: string; readonly headers: string; readonly expectedResponseCode: number }
  | { readonly type: 'mysql'; readonly user: string; readonly password: string; readonly command: string }
  | { readonly type: 'none' };

export const DEFAULT_SETTINGS: ServiceSettings = {
  metadata: {},
  protectThreshold: 0,
  selector: { type: 'none' },
  clusters: new Map(),
};

export const DEFAULT_CLUSTER: ClusterSettings = { metadata: {}, check: { type: 'tcp' }, checkPort: 80, useInstancePort: true };
