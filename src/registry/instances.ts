import { isCallable } from './available.ts';
import type { Cause, Condition, DrainEnd, Heard, Source } from './changes.ts';
import type { CheckTrouble, CheckVerdict } from './checks.ts';
import { differencesBetween } from './differences.ts';
import { toldOf } from './drains.ts';
import { flat } from './flat.ts';
import type { Instance, Metadata, Registration } from './instance.ts';
import { type Due, saidOf } from './lease.ts';
import type { RegistryOptions } from './options.ts';
import { edited, editedMetadata } from './overlay.ts';
import type { Parts } from './parts.ts';
import type { Holder, Row } from './row.ts';
import type { Service } from './services.ts';
import { type Circumstances, Telling } from './telling.ts';

/**
 * The life of one instance, from its coming to its going: each step leaves rows, lease, overlay and counts consistent, and says to the
 * event feed what happened. Naming the service to the level feed is left to whoever takes the step, as several make one change.
 */
export class Instances {
  readonly telling: Telling;
  readonly #parts: Parts;
  readonly #onBeat: RegistryOptions['onBeat'];

  constructor(parts: Parts, onBeat?: RegistryOptions['onBeat']) {
    this.#parts = parts;
    this.telling = new Telling(parts);
    this.#onBeat = onBeat;
  }

  /** It comes, or comes back. */
  add(service: Service, registration: Registration, holder: Holder | undefined, by?: Source): void {
    const { departed } = this.#parts;
    const cause = departed.forget(service, registration) ? 'returned' : 'registered';
    const id = this.#added(service, registration, holder, by?.peer);
    this.#hear(id, by);
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
    const { rows, lease } = this.#parts;
    const [from, before] = [this.condition(id), this.shown(id)];
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
    this.#hear(id, by);
    const differences = differencesBetween(before, this.shown(id));
    this.happened('re-registered', id, from, by, { wasPersistent, ...(differences.length > 0 && { differences }) });
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
    const { rows, lease, voices, comebacks, riseBeats, now } = this.#parts;
    const { service, silence, ip } = rows.row(id);
    const needed = service.settings?.riseBeats ?? riseBeats;
    const wasAlive = rows.isAlive(id);
    const alive = wasAlive || comebacks.beat(id, lease.silentMs(id, now()), silence.unhealthyAfterMs, needed);
    this.#onBeat?.(lease.silentMs(id, now()), silence);
    const from = this.condition(id);
    rows.setAlive(id, alive);
    if (alive) comebacks.forget(id);
    rows.setVoice(id, voices.heard(rows.voice(id), ip, by));
    lease.beaten(id, now(), wasAlive);
    return this.#found('beat', id, from, by);
  }

  /** Somebody says how it is; that it is alive is a sign of life. Answers as `beat` does. */
  told(id: number, alive: boolean, by?: Source): boolean {
    const from = this.condition(id);
    this.#live(id, alive, by);
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
    const { rows, lease, now } = this.#parts;
    const alive = rows.isAlive(id);
    const count = alive ? lease.fell(now()) : undefined;
    if (count !== undefined) this.telling.ofMany('mass-silence', count);
    if (to === 'removed' && lease.mayBeRemoved(id, now())) {
      this.remove(id, 'removed', undefined, silentMs);
      return true;
    }
    if (!alive) return false;
    const from = this.condition(id);
    rows.setAlive(id, false);
    // Where its removal has been put off, its turn stands.
    if (to === 'unhealthy') lease.schedule(id);
    this.happened('silent', id, from, undefined, { silentMs, heard: this.heard(id) });
    return true;
  }

  /** It goes. Its edits wait for it, unless this is for good. */
  remove(id: number, cause: 'deregistered' | 'removed' | 'connection-ended' | 'dropped', by?: Source, silentMs?: number): void {
    const { services, rows, lease, voices, overlay, drains, departed, now } = this.#parts;
    const row = rows.row(id);
    const { service } = row;
    const from = this.condition(id);
    const heard = cause === 'removed' ? this.heard(id) : undefined;
    if (cause === 'deregistered' || cause === 'dropped') {
      overlay.end(id);
      this.resume(id, cause, by);
    } else {
      departed.add(service, saidOf(row, rows.isAlive(id)));
      overlay.keep(id, service.name, row, now());
      drains.keep(id, service.name, row, now());
    }
    lease.forget(id);
    this.#parts.comebacks.forget(id);
    this.#parts.troubles.delete(id);
    voices.release(rows.voice(id));
    rows.delete(id);
    this.#parts.accounts.went(row);
    if (service.total === 0) services.emptied(service, now());
    this.telling.of(row, cause, from, 'removed', { by, silentMs, heard });
  }

  /** Its edit is another now; until then it was shown as `before`. */
  edited(id: number, before: Shown, by?: Source): void {
    this.putEditInForce(id);
    this.happened('edited', id, this.condition(id), by, { differences: differencesBetween(before, this.shown(id)) });
  }

  /** What clients and operators can change of it, as it is now. */
  shown(id: number): Shown {
    const { rows, overlay } = this.#parts;
    const { enabled, weight, cluster, metadata } = edited(rows.row(id), overlay.of(id));
    return { enabled, weight, cluster, metadata };
  }

  /** It is drained no more. False when it was not. */
  resume(id: number, why: DrainEnd, by?: Source): boolean {
    const drain = this.#parts.drains.end(id);
    if (drain === undefined) return false;
    this.putEditInForce(id);
    this.happened('resumed', id, this.condition(id), by, { drain: toldOf(drain, why) });
    return true;
  }

  /** As `edited`, without a word. */
  putEditInForce(id: number): void {
    this.#applyEdit(id);
    this.#parts.lease.schedule(id);
  }

  view(id: number, now: number): Instance {
    const { rows, lease, overlay, drains, troubles } = this.#parts;
    const [row, edit, drain] = [rows.row(id), overlay.of(id), drains.of(id)];
    const { ip, port, cluster, ephemeral, weight, enabled, metadata } = edited(row, edit);
    return {
      ip,
      port,
      cluster,
      ephemeral,
      weight,
      enabled: enabled && drain === undefined,
      healthy: rows.isHealthy(id),
      metadata,
      edit,
      drain,
      silence: row.silence,
      silentMs: lease.silentMs(id, now),
      trouble: troubles.get(id),
      remembered: rows.isRemembered(id),
    };
  }

  /** The last sign of life of it. */
  heard(id: number): Heard {
    const { rows, lease, voices, now } = this.#parts;
    const { ip, silence } = rows.row(id);
    const intervalMs = Math.round(rows.beatEveryMs(id)) || silence.beatIntervalMs;
    const silentMs = lease.silentMs(id, now());
    return { silentMs, ...voices.of(rows.voice(id), ip), ...(intervalMs !== undefined && { intervalMs }) };
  }

  condition(id: number): Condition {
    return this.#parts.rows.isHealthy(id) ? 'healthy' : 'unhealthy';
  }

  happened(cause: Cause, id: number, from: Condition | undefined, by?: Source, more: Circumstances = {}): void {
    const trouble = cause === 'probe' ? this.#parts.troubles.get(id) : undefined;
    this.telling.of(this.#parts.rows.row(id), cause, from, this.condition(id), { by, trouble, ...more });
  }

  /** Answers whether its condition is another than it was, and makes an event of that. */
  #found(cause: 'beat' | 'probe', id: number, from: Condition, by?: Source): boolean {
    if (this.condition(id) === from) return false;
    this.happened(cause, id, from, by);
    return true;
  }

  #live(id: number, alive: boolean, by?: Source): void {
    const { rows, lease, comebacks } = this.#parts;
    rows.setAlive(id, alive);
    if (!alive) {
      lease.schedule(id);
      return;
    }
    comebacks.forget(id);
    this.#hear(id, by);
  }

  /** A sign of life that is no beat. */
  #hear(id: number, by: Source | undefined): void {
    const { rows, lease, voices, now } = this.#parts;
    rows.setVoice(id, voices.heard(rows.voice(id), rows.row(id).ip, by));
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
    const { lease, now } = this.#parts;
    const { until, crowd } = lease.lose(id, now(), by);
    if (crowd !== undefined) this.telling.ofMany('mass-loss', crowd);
    return until !== undefined;
  }

  #added(service: Service, registration: Registration, holder: Holder | undefined, peer = ''): number {
    const { services, rows, lease, overlay, drains, accounts, silenceOf, now } = this.#parts;
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
    drains.takeBack(id, service.name, registration, now());
    rows.setAlive(id, registration.healthy);
    this.#applyEdit(id);
    return id;
  }

  /** What follows from what the client says, and from the edit and the drain over it. */
  #applyEdit(id: number): void {
    const { rows, overlay, drains, silenceOf } = this.#parts;
    const row = rows.row(id);
    const edit = overlay.of(id);
    row.silence = silenceOf(editedMetadata(row.metadata, edit));
    const callable = isCallable(edit?.enabled ?? row.enabled, edit?.weight ?? row.weight);
    rows.setCallable(id, callable && drains.of(id) === undefined);
  }
}

export type Shown = Pick<Instance, 'enabled' | 'weight' | 'cluster' | 'metadata'>;

const NO_METADATA: Metadata = Object.freeze({});

/** One empty map for all. */
function kept(metadata: Metadata): Metadata {
  for (const _ in metadata) return metadata;
  return NO_METADATA;
}
