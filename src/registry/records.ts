import type { Source } from './changes.ts';
import type { CheckTrouble } from './checks.ts';
import type { Address, Drain, Edit, Registration } from './instance.ts';
import { type ServiceName, serviceKey } from './service-name.ts';
import type { ServiceSettings } from './settings.ts';

/**
 * What the registry knows, as records: plain JSON, each with a key of its own, so that a store or a replica can keep the latest by
 * key. Times are ages, for clocks start anew with each process. Of who holds an instance no more is told than that somebody does: a
 * connection does not outlive its process.
 */
export type DurableRecord = ServiceRecord | InstanceRecord | DepartedRecord | EditRecord | DrainRecord;

export interface ServiceRecord {
  readonly kind: 'service';
  readonly service: ServiceName;
  /** Null: only its instances have made it known. */
  readonly settings: ServiceSettings | null;
  /** For how long it has had no instance; null while it has one, or was created explicitly. */
  readonly emptyMs: number | null;
}

export interface InstanceRecord {
  readonly kind: 'instance';
  readonly service: ServiceName;
  /** What its client has said, without edits; `healthy` is whether it is alive now. */
  readonly registration: Registration;
  /** Since it was last heard of. */
  readonly silentMs: number;
  /** From whom: an address, and what its client calls itself; left out where that is not known. */
  readonly heard?: Pick<Source, 'peer' | 'agent'>;
  /** Whether it lives by a connection alone. */
  readonly held: boolean;
  /** What its check has found last, if that is not that all is well. */
  readonly trouble: CheckTrouble | null;
}

/** One that went without a word, for whoever comes back and says less. */
export interface DepartedRecord {
  readonly kind: 'departed';
  readonly service: ServiceName;
  readonly registration: Registration;
}

export interface EditRecord extends Address {
  readonly kind: 'edit';
  readonly service: ServiceName;
  readonly edit: Edit;
  /** For how long its instance has been away; null: it is here. */
  readonly awayMs: number | null;
}

export interface DrainRecord extends Address {
  readonly kind: 'drain';
  readonly service: ServiceName;
  readonly drain: Drain;
  /** For how long it goes on; at most until the time of day that it names, where that is known better by then. */
  readonly leftMs: number;
  /** As of an edit. */
  readonly awayMs: number | null;
}

/** Unique among all records; no part holds white space but the ip, which comes last. */
export function recordKey(record: DurableRecord): string {
  const key = `${record.kind} ${serviceKey(record.service)}`;
  switch (record.kind) {
    case 'service':
      return key;
    case 'edit':
    case 'drain':
      return `${key} ${record.port} ${record.ip}`;
    case 'instance':
    case 'departed':
      return `${key} ${record.registration.port} ${record.registration.ip}`;
  }
}
