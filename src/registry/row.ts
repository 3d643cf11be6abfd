import type { Account } from './accounts.ts';
import type { Address, Metadata, Silence } from './instance.ts';
import type { Service } from './services.ts';

/** What a client has said of an instance last, and who keeps it. */
export interface Row extends Address {
  readonly service: Service;
  /** Of whoever has said it last. */
  account: Account;
  cluster: string;
  ephemeral: boolean;
  weight: number;
  enabled: boolean;
  metadata: Metadata;
  silence: Silence;
  /** The holder that spoke last. Undefined: it lives by its beats, or is persistent. */
  holder: Holder | undefined;
}

/** Whatever keeps instances alive by being there itself, such as a connection. Only ever compared. */
export type Holder = object;
