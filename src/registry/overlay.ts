import type { Address, Edit, Metadata, Registration } from './instance.ts';
import { type ServiceName, serviceKey } from './service-name.ts';

/**
 * An operator's edits: they lie over what clients say, key by key, so that what was not edited follows the client through every later
 * registration. An edit outlives its instance by `keepMs` when silence or a lost connection took it, and waits for its return. It
 * ends when it is edited back, when its instance says goodbye, and with its service.
 */
export class Overlay {
  readonly #keepMs: number;
  readonly #maxAbsent: number;
  readonly #present = new Map<number, Edit>();
  /** Of instances that are not here now, the longest absent first. */
  readonly #absent = new Map<string, AbsentEdit>();

  constructor(keepMs: number, maxAbsent: number) {
    this.#keepMs = keepMs;
    this.#maxAbsent = maxAbsent;
  }

  of(id: number): Edit | undefined {
    return this.#present.size === 0 ? undefined : this.#present.get(id);
  }

  /** Lays the edit over what is in force already, less what `said` says anyway. */
  lay(id: number, edit: Edit, said: Registration): void {
    const merged = merge(this.#present.get(id), edit, said);
    if (merged === undefined) this.#present.delete(id);
    else this.#present.set(id, merged);
  }

  /** In place of what there is. */
  put(id: number, edit: Edit): void {
    this.#present.set(id, edit);
  }

  /** By id. */
  present(): IterableIterator<[number, Edit]> {
    return this.#present.entries();
  }

  /** False when there is none. */
  end(id: number): boolean {
    return this.#present.delete(id);
  }

  /** The instance has gone and may come back. */
  keep(id: number, service: ServiceName, { ip, port }: Address, now: number): void {
    const edit = this.#present.get(id);
    if (edit === undefined) return;
    this.#present.delete(id);
    this.#put({ service, ip, port, edit, since: now });
  }

  /** The instance is here, or here again, under this id. */
  takeBack(id: number, service: ServiceName, address: Address, now: number): void {
    if (this.#absent.size === 0) return;
    const edit = this.absent(service, address, now)?.edit;
    this.endAbsent(service, address);
    if (edit !== undefined) this.#present.set(id, edit);
  }

  /** The edit that waits for an instance which is not here. */
  absent(service: ServiceName, address: Address, now: number): AbsentEdit | undefined {
    if (this.#absent.size === 0) return undefined;
    const found = this.#absent.get(absentKey(service, address));
    return found !== undefined && now - found.since < this.#keepMs ? found : undefined;
  }

  /** As `lay`, for one that waits. `said`: what its client said last, if that is remembered. */
  layAbsent(found: AbsentEdit, edit: Edit, said: Registration | undefined): void {
    const merged = merge(found.edit, edit, said);
    const key = absentKey(found.service, found);
    if (merged === undefined) this.#absent.delete(key);
    else this.#absent.set(key, { ...found, edit: merged });
  }

  /** As `put`, for one that waits. */
  putAbsent(found: AbsentEdit, edit: Edit): void {
    const key = absentKey(found.service, found);
    if (isEmpty(edit)) this.#absent.delete(key);
    else this.#absent.set(key, { ...found, edit });
  }

  /** For one that is to come: it waits as if its instance had gone now. */
  layAhead(service: ServiceName, { ip, port }: Address, edit: Edit, now: number): void {
    this.#put({ service, ip, port, edit, since: now });
  }

  endAbsent(service: ServiceName, address: Address): boolean {
    return this.#absent.size > 0 && this.#absent.delete(absentKey(service, address));
  }

  /** Ends those that wait for instances of the service, and answers with them. */
  dropAbsent(service: ServiceName): Address[] {
    const key = serviceKey(service);
    const dropped: Address[] = [];
    for (const [absent, edit] of this.#absent) {
      if (serviceKey(edit.service) !== key) continue;
      this.#absent.delete(absent);
      dropped.push(edit);
    }
    return dropped;
  }

  *waiting(now: number): IterableIterator<AbsentEdit> {
    for (const absent of this.#absent.values()) if (now - absent.since < this.#keepMs) yield absent;
  }

  /** Gives back one that waits; those that have waited for longest first. */
  restore(absent: AbsentEdit): void {
    this.#put(absent);
  }

  #put(absent: AbsentEdit): void {
    const key = absentKey(absent.service, absent);
    this.#absent.delete(key);
    this.#absent.set(key, absent);
    // Addresses come and go for ever where containers do; their edits may not pile up for as long.
    for (const [longest, { since }] of this.#absent) {
      if (this.#absent.size <= this.#maxAbsent && absent.since - since < this.#keepMs) break;
      this.#absent.delete(longest);
    }
  }
}

export interface AbsentEdit extends Address {
  readonly service: ServiceName;
  readonly edit: Edit;
  /** The registry's clock. */
  readonly since: number;
}

/** What the client says, with the edit over it. */
export function edited<T extends Pick<Registration, 'weight' | 'enabled' | 'metadata'>>(said: T, edit: Edit | undefined): T {
  if (edit === undefined) return said;
  const { weight = said.weight, enabled = said.enabled } = edit;
  return { ...said, weight, enabled, metadata: editedMetadata(said.metadata, edit) };
}

export function editedMetadata(said: Metadata, edit: Edit | undefined): Metadata {
  if (edit?.metadata === undefined) return said;
  const result = new Map(Object.entries(said));
  for (const [key, value] of Object.entries(edit.metadata)) {
    if (value === null) result.delete(key);
    else result.set(key, value);
  }
  // Entries, and not assignments: a key may be called __proto__.
  return Object.fromEntries(result);
}

/** Both edits, the later one over the other, less what the client says anyway; undefined when nothing is left. */
function merge(earlier: Edit | undefined, later: Edit, said: Registration | undefined): Edit | undefined {
  const enabled = later.enabled ?? earlier?.enabled;
  const weight = later.weight ?? earlier?.weight;
  const keys = new Map([...Object.entries(earlier?.metadata ?? {}), ...Object.entries(later.metadata ?? {})]);
  const own = new Map(Object.entries(said?.metadata ?? {}));
  if (said !== undefined)
    for (const [key, value] of Object.entries(later.metadata ?? {})) if ((own.get(key) ?? null) === value) keys.delete(key);
  forgetLongUnsaid(keys, own);
  // Only what has just been edited can be edited back: another part that the client has come to agree with stays the operator's.
  const merged: Edit = {
    ...(enabled !== undefined && !(later.enabled !== undefined && enabled === said?.enabled) && { enabled }),
    ...(weight !== undefined && !(later.weight !== undefined && weight === said?.weight) && { weight }),
    ...(keys.size > 0 && { metadata: Object.fromEntries(keys) }),
  };
  return isEmpty(merged) ? undefined : merged;
}

/** It says nothing. */
export function isEmpty(edit: Edit): boolean {
  return Object.keys(edit).length === 0;
}

/**
 * Of the keys that were taken away and that the client does not say any more, the latest stay, for it may say them again. Each release
 * that has keys of its own would else leave its own here for ever.
 */
function forgetLongUnsaid(keys: Map<string, string | null>, own: ReadonlyMap<string, string>): void {
  let length = 0;
  for (const [key, value] of [...keys].reverse()) {
    if (value !== null || own.has(key)) continue;
    length += key.length;
    if (length > MAX_UNSAID_LENGTH) keys.delete(key);
  }
}

/** In characters. */
const MAX_UNSAID_LENGTH = 16_384;

// The ip comes last, and what stands before it holds no white space.
function absentKey(service: ServiceName, { ip, port }: Address): string {
  return `${serviceKey(service)} ${port} ${ip}`;
}
