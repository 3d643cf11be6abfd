import { isCallable } from './available.ts';
import type { Cause, Condition, Source } from './changes.ts';
import type { CheckTrouble, CheckVerdict } from './checks.ts';
import { flat } from './flat.ts';
import type { Address, Instance, Metadata, Registration } from './instance.ts';
import { type Due, saidOf } from './lease.ts';
import type { RegistryOptions } from './options.ts';
import { edited, editedMetadata } from './overlay.ts';
import type { Parts } from './parts.ts';
import type { Holder, Row } from './row.ts';
import type { ServiceName } from './service-name.ts';
import type { Service } from './services.ts';

/**
 * The life of one instance, from its coming to its going: each step leaves rows, lease, overlay and counts consistent, and says to the
 * event feed what happened. Naming the service to the level feed is left to whoever takes the step, as several make one change.
 */
export class Instances {
  readonly #parts: Parts;
  readonly #onBeat: RegistryOptions['onBeat'];

  constructor(parts: Parts, onBeat?: RegistryOptions['onBeat']) {
    this.#parts = parts;
    this.#onBeat = onBeat;
  }

  /** It comes, or comes back. */
  add(service: Service, registration: Registration, holder: Holder | undefined, by?: Source): void {
    const { departed, lease, now } = this.#parts;
    const cause = departed.forget(service, registration) ? 'returned' : 'registered';
    const id = this.#added(service, registration, holder, by?.peer);
    lease.hear(id, now());
    this.happened(cause, id, undefined, by);
  }

  /** A store or a replica gives it back; see `Lease.remember`. Answers its id; telling of it is left to the caller. */
  restore(service: Service, registration: Registration, heardAt: number, heldUntil: number | undefined): number {
    const id = this.#added(service, registration, undefined);
    this.#parts.lease.remember(id, heardAt, heldUntil);
    return id;
  }

  /** It registers again, by a holder or without. */
  sayAgain(id: number, registration: Registration, holder: Holder | undefined, by?: Source): void {
    const { rows, lease, now } = this.#parts;
    const from = this.condition(id);
    const row = rows.row(id);
    if (holder !== undefined) lease.hold(id, holder, saidOf(row, rows.isAlive(id)));
    else if (registration.ephemeral) lease.alsoBeats(id);
    // Nobody keeps a persistent instance but its own registration.
    else lease.forget(id);
    // Of the other kind it is checked in another way.
    if (registration.ephemeral !== row.ephemeral) this.#setTrouble(id, undefined);
    const wasPersistent = !row.ephemeral;
    const keepsVerdict = !registration.ephemeral && wasPersistent;
    this.#say(id, keepsVerdict ? { ...registration, healthy: rows.isAlive(id) } : registration, by?.peer);
    lease.hear(id, now());
    this.happened('re-registered', id, from, by, { wasPersistent });
  }

  /** A holder lets go. Answers whether that changes anything. */
  release(id: number, holder: Holder, cause: 'deregistered' | 'connection-ended', by?: Source): boolean {
    const from = this.condition(id);
    const released = this.#parts.lease.release(id, holder);
    if (released === 'unchanged') return false;
    if (released === 'gone') {
      if (cause === 'connection-ended' && this.#isKept(id, by)) return false;
      this.remove(id, cause, by);
      return true;
    }
    if (released === 'beating') this.#parts.lease.schedule(id);
    else this.#say(id, released.said, released.peer);
    this.happened(cause, id, from, by);
    return true;
  }

  /** A beat. It heals, unless it takes more of them to be believed. Answers whether that is a change, and makes an event of one. */
  beat(id: number, by?: Source): boolean {
    const { rows, lease, comebacks, riseBeats, now } = this.#parts;
    const { service, silence } = rows.row(id);
    const needed = service.settings?.riseBeats ?? riseBeats;
    this.#onBeat?.(lease.silentMs(id, now()), silence);
    const alive = rows.isAlive(id) || comebacks.beat(id, lease.silentMs(id, now()), silence.unhealthyAfterMs, needed);
    const from = this.condition(id);
    rows.setAlive(id, alive);
    if (alive) comebacks.forget(id);
    lease.hear(id, now());
    return this.#found('beat', id, from, by);
  }

  /** Somebody says how it is; that it is alive is a sign of life. Answers as `beat` does. */
  told(id: number, alive: boolean, by?: Source): boolean {
    const from = this.condition(id);
    this.#live(id, alive);
    return this.#found('probe', id, from, by);
  }

  /**
   * Its check has come to this. A persistent one is as its check finds it; an ephemeral one has to be alive too, and passing is no sign
   * of life. Without a check it is as it says. Answers as `beat` does.
   */
  checked(id: number, verdict: CheckVerdict): boolean {
    const { rows, troubles } = this.#parts;
    const from = this.condition(id);
    const trouble = typeof verdict === 'string' ? undefined : verdict;
    const before = troubles.get(id);
    this.#setTrouble(id, trouble);
    const isDecided = verdict === 'passing' || trouble?.verdict === 'failing';
    if (isDecided && !rows.row(id).ephemeral) this.#live(id, trouble === undefined);
    // Why it is so may be another reason now, which is for the level feed alone.
    return this.#found('probe', id, from) || trouble?.verdict !== before?.verdict || trouble?.reason !== before?.reason;
  }

  /** As a store or a replica gives it back. */
  putTrouble(id: number, trouble: CheckTrouble): void {
    this.#setTrouble(id, trouble);
  }

  /** Its time has come. Answers whether that is a change: unhealthy is it at once, removed when that is its turn. */
  fallDue(due: Due): boolean {
    if (due.to === 'lost') {
      this.remove(due.id, 'connection-ended', due.by);
      return true;
    }
    const { id, to, silentMs } = due;
    const { rows, lease, changes, now } = this.#parts;
    const alive = rows.isAlive(id);
    const count = alive ? lease.fell(now()) : undefined;
    if (count !== undefined) changes.happened({ at: now(), cause: 'mass-silence', count });
    if (to === 'removed' && lease.mayBeRemoved(id, now())) {
      this.remove(id, 'removed', undefined, silentMs);
      return true;
    }
    if (!alive) return false;
    const from = this.condition(id);
    rows.setAlive(id, false);
    // Where its removal has been put off, its turn stands.
    if (to === 'unhealthy') lease.schedule(id);
    this.happened('silent', id, from, undefined, { silentMs });
    return true;
  }

  /** It goes. Its edits wait for it, unless this is for good. */
  remove(id: number, cause: 'deregistered' | 'removed' | 'connection-ended' | 'dropped', by?: Source, silentMs?: number): void {
    const { services, rows, lease, overlay, departed, now } = this.#parts;
    const row = rows.row(id);
    const { service } = row;
    const from = this.condition(id);
    if (cause === 'deregistered' || cause === 'dropped') {
      overlay.end(id);
    } else {
      departed.add(service, saidOf(row, rows.isAlive(id)));
      overlay.keep(id, service.name, row, now());
    }
    lease.forget(id);
    this.#parts.comebacks.forget(id);
    this.#parts.troubles.delete(id);
    rows.delete(id);
    this.#parts.accounts.went(row);
    if (service.total === 0) services.emptied(service, now());
    this.#tell(row, cause, from, 'removed', { by, silentMs });
  }

  /** Its edit is another now. */
  edited(id: number, by?: Source): void {
    this.putEditInForce(id);
    this.happened('edited', id, this.condition(id), by);
  }

  /** As `edited`, without a word. */
  putEditInForce(id: number): void {
    this.#applyEdit(id);
    this.#parts.lease.schedule(id);
  }

  view(id: number, now: number): Instance {
    const { rows, lease, overlay, troubles } = this.#parts;
    const row = rows.row(id);
    const edit = overlay.of(id);
    const { ip, port, cluster, ephemeral, weight, enabled, metadata } = edited(row, edit);
    return {
      ip,
      port,
      cluster,
      ephemeral,
      weight,
      enabled,
      healthy: rows.isHealthy(id),
      metadata,
      edit,
      silence: row.silence,
      silentMs: lease.silentMs(id, now),
      trouble: troubles.get(id),
      remembered: rows.isRemembered(id),
    };
  }

  condition(id: number): Condition {
    return this.#parts.rows.isHealthy(id) ? 'healthy' : 'unhealthy';
  }

  happened(cause: Cause, id: number, from: Condition | undefined, by?: Source, more: Circumstances = {}): void {
    const trouble = cause === 'probe' ? this.#parts.troubles.get(id) : undefined;
    this.#tell(this.#parts.rows.row(id), cause, from, this.condition(id), { by, trouble, ...more });
  }

  /** The edit of an instance that is away is another now. */
  happenedAway(service: ServiceName, { ip, port }: Address, cause: 'edited' | 'deregistered' | 'dropped', by?: Source): void {
    const { changes, now } = this.#parts;
    changes.happened({ at: now(), cause, service, instance: { ip, port }, ...(by !== undefined && { by }) });
  }

  happenedTo(service: ServiceName, cause: 'created' | 'configured' | 'forgotten' | 'dropped', by?: Source): void {
    const { changes, now } = this.#parts;
    changes.happened({ at: now(), cause, service, ...(by !== undefined && { by }) });
  }

  /** Answers whether its condition is another than it was, and makes an event of that. */
  #found(cause: 'beat' | 'probe', id: number, from: Condition, by?: Source): boolean {
    if (this.condition(id) === from) return false;
    this.happened(cause, id, from, by);
    return true;
  }

  #live(id: number, alive: boolean): void {
    const { rows, lease, comebacks, now } = this.#parts;
    rows.setAlive(id, alive);
    if (!alive) {
      lease.schedule(id);
      return;
    }
    comebacks.forget(id);
    lease.hear(id, now());
  }

  #setTrouble(id: number, trouble: CheckTrouble | undefined): void {
    const { rows, troubles } = this.#parts;
    if (trouble === undefined) troubles.delete(id);
    else troubles.set(id, trouble);
    rows.setFailing(id, rows.row(id).ephemeral && trouble?.verdict === 'failing');
  }

  /** Replaces what its client has said of it. */
  #say(id: number, registration: Registration, peer?: string): void {
    const { rows, lease } = this.#parts;
    const row = rows.row(id);
    if (row.cluster !== registration.cluster) row.cluster = flat(registration.cluster);
    row.ephemeral = registration.ephemeral;
    row.weight = registration.weight;
    row.enabled = registration.enabled;
    this.#parts.accounts.says(row, kept(registration.metadata), peer);
    rows.setAlive(id, registration.healthy);
    this.#parts.comebacks.forget(id);
    this.#applyEdit(id);
    lease.schedule(id);
  }

  /** Whether it keeps its last status for now, as its connection may be back in a moment. */
  #isKept(id: number, by: Source | undefined): boolean {
    const { lease, changes, now } = this.#parts;
    const { until, crowd } = lease.lose(id, now(), by);
    if (crowd !== undefined) changes.happened({ at: now(), cause: 'mass-loss', count: crowd });
    return until !== undefined;
  }

  #tell(row: Row, cause: Cause, from: Condition | undefined, to: Condition, more: Circumstances): void {
    const { changes, now } = this.#parts;
    if (!changes.areHeard) return;
    const { ip, port, cluster, ephemeral } = row;
    const { by, silentMs, trouble, wasPersistent = false } = more;
    changes.happened({
      at: now(),
      cause,
      service: row.service.name,
      instance: { ip, port, cluster, ephemeral },
      ...(from !== undefined && { from }),
      to,
      ...(by !== undefined && { by }),
      ...(silentMs !== undefined && { silentMs }),
      ...(trouble !== undefined && { trouble }),
      ...(wasPersistent && ephemeral && ({ wasPersistent: true } as const)),
    });
  }

  #added(service: Service, registration: Registration, holder: Holder | undefined, peer = ''): number {
    const { services, rows, lease, overlay, accounts, silenceOf, now } = this.#parts;
    const { ip, port, ephemeral, weight, enabled } = registration;
    const metadata = kept(registration.metadata);
    const last = rows.last(service);
    const cluster = last?.cluster === registration.cluster ? last.cluster : flat(registration.cluster);
    const row: Row = {
      service,
      account: accounts.open(peer),
      ip: flat(ip),
      port,
      cluster,
      ephemeral,
      weight,
      enabled,
      metadata,
      silence: silenceOf(metadata),
      holder: undefined,
    };
    const id = rows.add(row);
    accounts.came(row);
    if (holder !== undefined) lease.holdNew(id, holder);
    services.filled(service);
    overlay.takeBack(id, service.name, registration, now());
    rows.setAlive(id, registration.healthy);
    this.#applyEdit(id);
    return id;
  }

  /** What follows from what the client says and from the edit over it. */
  #applyEdit(id: number): void {
    const { rows, overlay, silenceOf } = this.#parts;
    const row = rows.row(id);
    const edit = overlay.of(id);
    row.silence = silenceOf(editedMetadata(row.metadata, edit));
    rows.setCallable(id, isCallable(edit?.enabled ?? row.enabled, edit?.weight ?? row.weight));
  }
}

/** What is told of an event beside what has changed. */
interface Circumstances {
  readonly by?: Source | undefined;
  readonly silentMs?: number | undefined;
  readonly trouble?: CheckTrouble | undefined;
  readonly wasPersistent?: boolean;
}

const NO_METADATA: Metadata = Object.freeze({});

/** One empty map for all. */
function kept(metadata: Metadata): Metadata {
  for (const _ in metadata) return metadata;
  return NO_METADATA;
}
