import type { ServerFacts } from './api.ts';

/** What the console reads of the process itself, handed in as the rest is. Who may hear of it, the views say. */
export interface BridgeSource {
  readonly isDraining: () => boolean;
  /** For how long no silence could be told from deafness; undefined: it is not so. */
  readonly stalledForMs: () => number | undefined;
  /** Why nothing can be written; undefined: it can, or nothing is to be kept. */
  readonly storeTrouble: () => string | undefined;
  /** Undefined: no TLS is spoken. */
  readonly certificate: () => CertificateSeen | undefined;
  /** Of the webhooks that do not take what they are told; undefined: there are none of these. */
  readonly webhooks: () => { readonly failing: number; readonly says: string } | undefined;
  /** The file of users has changed, and cannot be taken. */
  readonly areUsersUnreadable: () => boolean;
  /** Until when clients have to come back after a restart. */
  readonly comeBackUntil: number;
  /** How much of each limit in all is used. */
  readonly limits: () => ServerFacts['limits'];
  /** What has been refused since the start, by which limit or rule. */
  readonly refusals: () => ServerFacts['refused'];
  /** As `/readyz?verbose` lists them. */
  readonly parts: () => ServerFacts['parts'];
  readonly listeners: () => ServerFacts['listeners'];
  readonly process: () => Omit<NonNullable<ServerFacts['process']>, 'startedAt' | 'version'>;
  /** `none`: nothing is kept. */
  readonly dataDir: string;
  readonly options: () => NonNullable<ServerFacts['options']>;
}

export interface CertificateSeen {
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** Why the next one could not be used. */
  readonly trouble: string | undefined;
  /** As `/readyz?verbose` says it. */
  readonly says: string;
  readonly ok: boolean;
  /** From when on it is warned of its end. */
  readonly warnFrom: number;
}
