import type { Accounts } from './accounts.ts';
import type { Changes } from './changes.ts';
import type { CheckTrouble } from './checks.ts';
import type { Comebacks } from './comebacks.ts';
import type { Departed } from './departed.ts';
import type { Drains } from './drains.ts';
import type { Metadata, Silence } from './instance.ts';
import type { Lease } from './lease.ts';
import type { Overlay } from './overlay.ts';
import type { Rows } from './rows.ts';
import type { Services } from './services.ts';
import type { Voices } from './voices.ts';

/** What the registry is made of. */
export interface Parts {
  readonly services: Services;
  readonly accounts: Accounts;
  readonly rows: Rows;
  readonly voices: Voices;
  readonly lease: Lease;
  readonly comebacks: Comebacks;
  /** By id, of those whose check has found one. */
  readonly troubles: Map<number, CheckTrouble>;
  readonly overlay: Overlay;
  readonly drains: Drains;
  readonly departed: Departed;
  readonly changes: Changes;
  /** Monotonic, whole milliseconds. */
  readonly now: () => number;
  readonly silenceOf: (metadata: Metadata) => Silence;
  /** After how many beats in a row an instance counts again, where its service does not say it. */
  readonly riseBeats: number;
}
