import { Brake } from './brake.ts';
import type { Source } from './changes.ts';
import { patienceOf, type Registration, verdictOf } from './instance.ts';
import { Losses, type Lost } from './losses.ts';
import type { Holder, Row } from './row.ts';
import type { Rows } from './rows.ts';

/**
 * What keeps an ephemeral instance alive: its beats, each good for as long as its silence allows; or its holders, who keep it by
 * being there. Registering, by a request or by a holder, is a sign of life like a beat; being held is none, nor is being let go: an
 * instance that beats too is judged by its last beat once nobody holds it. A lease knows deadlines and nothing of what follows.
 */
export class Lease {
  readonly #rows: Rows;
  /** The holders of an instance beside the one in its row, the latest last, with what each had said; only where there are several. */
  readonly #otherHolders = new Map<number, Map<Holder, Word>>();
  /** The held instances that beat too, and so stay when nobody holds them any more. */
  readonly #alsoBeating = new Set<number>();
  /** Those whose last holder has gone without a word, and that are kept for now. */
  readonly #losses = new Losses();
  #heldCount = 0;
  /** Those whose removal has waited for its turn, and has it when it is due again. */
  readonly #granted = new Set<number>();
  readonly #brake = new Brake();
  #nextDue = Number.POSITIVE_INFINITY;
  /** Where a scan that was cut short goes on; 0 when none was. */
  #scanFrom = 0;
  /** The earliest that this scan has come by, or that was set since it began. */
  #earliest = Number.POSITIVE_INFINITY;
  #hasMore = false;
  #lastHeardAt = Number.NEGATIVE_INFINITY;

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  /** The time before which `due` has nothing to say; infinite when there is nothing to wait for. */
  get nextDue(): number {
    return this.#nextDue;
  }

  /** When anybody gave a sign of life last. */
  get lastHeardAt(): number {
    return this.#lastHeardAt;
  }

  /** A beat, which is a sign of life. How far apart those are is measured, but not across an outage. */
  beaten(id: number, now: number, wasAlive: boolean): void {
    const gapMs = now - this.#rows.heardAt(id);
    if (wasAlive && gapMs > 0 && !this.#rows.isRemembered(id)) {
      const usualMs = this.#rows.beatEveryMs(id);
      this.#rows.setBeatEveryMs(id, usualMs === 0 ? gapMs : usualMs + (gapMs - usualMs) * WEIGHT_OF_LAST);
    }
    this.hear(id, now);
  }

  /** A sign of life. */
  hear(id: number, now: number): void {
    if (now > this.#lastHeardAt) this.#lastHeardAt = now;
    this.#rows.setHeardAt(id, now);
    this.#rows.setRemembered(id, false);
    this.schedule(id);
  }

  /** To be called when the health, the kind or the silence of the instance has changed. */
  schedule(id: number): void {
    this.#giveTurnBack(id);
    // It is due when its time to come back is over, whatever is edited meanwhile.
    if (this.#losses.of(id) !== undefined) return;
    const { ephemeral, silence, holder } = this.#rows.row(id);
    if (!ephemeral || holder !== undefined) {
      this.#rows.setDue(id, Number.POSITIVE_INFINITY);
      return;
    }
    this.#setDue(id, this.#rows.heardAt(id) + patienceOf(this.#rows.isAlive(id), silence));
  }

  /**
   * It is given back by a store or a replica, heard of at `heardAt`; one that a connection held has until then to be back. Of one that
   * is persistent nothing is to be heard, so that it is no less itself than before.
   */
  remember(id: number, heardAt: number, heldUntil: number | undefined): void {
    this.#rows.setRemembered(id, this.#rows.row(id).ephemeral);
    this.#rows.setHeardAt(id, heardAt);
    if (heldUntil === undefined) {
      this.schedule(id);
      return;
    }
    this.#losses.keep(id, heardAt, heldUntil);
    this.#setDue(id, heldUntil);
  }

  /** Whether nothing but its holders keeps it, or kept it until they were lost. */
  isHeldOnly(id: number): boolean {
    return !this.livesByBeats(id);
  }

  silentMs(id: number, now: number): number {
    // A holder is a sign of life that lasts.
    return this.isHeld(id) ? 0 : now - this.#rows.heardAt(id);
  }

  isHeld(id: number): boolean {
    return this.#rows.row(id).holder !== undefined;
  }

  /** Whether beats count: not for an instance that only holders have registered. */
  livesByBeats(id: number): boolean {
    return (!this.isHeld(id) && this.#losses.of(id) === undefined) || this.#alsoBeating.has(id);
  }

  /** From now on it lives by its beats too, if it is held. */
  alsoBeats(id: number): void {
    this.#losses.delete(id);
    if (this.isHeld(id)) this.#alsoBeating.add(id);
  }

  /** From now on it lives by its holders alone. */
  beatsNoMore(id: number): void {
    this.#alsoBeating.delete(id);
  }

  /** It comes, and lives by this holder. */
  holdNew(id: number, holder: Holder): void {
    this.#rows.row(id).holder = holder;
    this.#heldCount++;
  }

  /** The holder's word counts from now on. `said` is what was in force before it spoke. */
  hold(id: number, holder: Holder, said: Registration): void {
    const row = this.#rows.row(id);
    const before = row.holder;
    if (before === holder) return;
    row.holder = holder;
    if (before === undefined) {
      this.#heldCount++;
      // An ephemeral one that was there before was there by its beats, unless another holder has just let go of it.
      if (!this.#losses.delete(id) && row.ephemeral) this.#alsoBeating.add(id);
      return;
    }
    const others = this.#otherHolders.get(id) ?? new Map<Holder, Word>();
    others.delete(holder);
    this.#otherHolders.set(id, others.set(before, { said, peer: row.account.origin }));
  }

  /** The holder lets go. Answers what follows for the instance. */
  release(id: number, holder: Holder): Released {
    const row = this.#rows.row(id);
    const others = this.#otherHolders.get(id);
    if (row.holder !== holder) {
      others?.delete(holder);
      if (others?.size === 0) this.#otherHolders.delete(id);
      return 'unchanged';
    }
    const [previous] = [...(others ?? [])].slice(-1);
    row.holder = undefined;
    if (previous !== undefined) {
      others?.delete(previous[0]);
      if (others?.size === 0) this.#otherHolders.delete(id);
      row.holder = previous[0];
      return previous[1];
    }
    this.#heldCount--;
    return this.#alsoBeating.delete(id) ? 'beating' : 'gone';
  }

  /** It has lost its last holder without a word. Unless it is kept for now, it is gone. */
  lose(id: number, now: number, by: Source | undefined): Lost {
    const lost = this.#losses.lose(id, { now, held: this.#heldCount + 1, by });
    if (lost.until !== undefined) {
      this.#rows.setHeardAt(id, now);
      this.#setDue(id, lost.until);
    }
    return lost;
  }

  /** Nothing holds it any more, and nothing is remembered of who did. */
  forget(id: number): void {
    if (this.isHeld(id)) this.#heldCount--;
    this.#rows.row(id).holder = undefined;
    this.#alsoBeating.delete(id);
    this.#otherHolders.delete(id);
    this.#giveTurnBack(id);
    this.#losses.delete(id);
  }

  /** It has fallen silent. Answers how many have lately, when they are so many that removals are slowed from now on. */
  fell(now: number): number | undefined {
    return this.#brake.fell(now, this.#rows.dueCount);
  }

  /** Until when removals are slowed. */
  get slowedUntil(): number {
    return this.#brake.until;
  }

  /** How many have lost their connection, and are kept for now. */
  get keptCount(): number {
    return this.#losses.count;
  }

  /** Whether it may be removed now for its silence. If not, it has its turn later, and is due again then. */
  mayBeRemoved(id: number, now: number): boolean {
    if (this.#granted.delete(id) || !this.#brake.isOn(now)) return true;
    const slot = this.#brake.slot(now);
    if (slot <= now) return true;
    this.#setDue(id, slot);
    this.#granted.add(id);
    return false;
  }

  /** Whether `due`, or `lost`, has been cut short: there is more to do now. */
  get hasMore(): boolean {
    return this.#hasMore;
  }

  /** Of the ids that are due by `now`, those that have lost their connection: what becomes of them has nothing to do with silence. */
  *lost(now: number): IterableIterator<Due> {
    let count = 0;
    this.#hasMore = false;
    for (const [id, { until, by }] of this.#losses.all()) {
      if (until > now) continue;
      if (++count > DUE_AT_A_TIME) {
        this.#hasMore = true;
        return;
      }
      yield { id, to: 'lost', by };
    }
  }

  /** The time before which `lost` has nothing to say; infinite when there is nothing to wait for. */
  get nextLost(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const [, { until }] of this.#losses.all()) next = Math.min(next, until);
    return next;
  }

  /**
   * The ids that are due by `now`, with what becomes of each. One scan of all; the caller acts before it asks for the next. Where very
   * many are due at once, after a restart say, the scan is cut short, and goes on from there the next time, so that nobody is kept
   * waiting.
   */
  *due(now: number): IterableIterator<Due> {
    this.#hasMore = false;
    if (now < this.#nextDue) return;
    if (this.#scanFrom === 0) this.#earliest = Number.POSITIVE_INFINITY;
    const rows = this.#rows;
    for (let id = this.#scanFrom, count = 0; id < rows.highest; id++) {
      const due = rows.due(id);
      if (due <= now && ++count > DUE_AT_A_TIME) {
        this.#scanFrom = id;
        this.#nextDue = now;
        this.#hasMore = true;
        return;
      }
      const loss = due <= now ? this.#losses.of(id) : undefined;
      // Since it was lost, it has turned out to be one of many.
      if (loss !== undefined && loss.until > now) this.#setDue(id, loss.until);
      else if (loss !== undefined) yield { id, to: 'lost', by: loss.by };
      else if (due <= now) yield this.#verdict(id, now - rows.heardAt(id));
      else if (due < this.#earliest) this.#earliest = due;
    }
    this.#scanFrom = 0;
    this.#nextDue = this.#earliest;
  }

  /** Moves every deadline by `ms`, but takes no instance for heard in the future. */
  postpone(ms: number, now: number): void {
    this.#losses.postpone(ms);
    this.#brake.postpone(ms);
    const rows = this.#rows;
    for (let id = 0; id < rows.highest; id++) {
      if (rows.due(id) === Number.POSITIVE_INFINITY && !this.#alsoBeating.has(id)) continue;
      rows.setHeardAt(id, Math.min(rows.heardAt(id) + ms, now));
      const loss = this.#losses.of(id);
      if (loss !== undefined) this.#setDue(id, loss.until);
      // Its turn moves and is not lost: all who wait would else begin to wait anew at each postponement, and go at once when none is braked.
      else if (this.#granted.has(id)) this.#setDue(id, rows.due(id) + ms);
      else this.schedule(id);
    }
  }

  #verdict(id: number, silentMs: number): Due {
    const { silence } = this.#rows.row(id);
    return { id, to: verdictOf(silentMs, silence) === 'removed' ? 'removed' : 'unhealthy', silentMs };
  }

  /** It does not wait for its removal any more: one that falls silent later is removed as much sooner. */
  #giveTurnBack(id: number): void {
    if (this.#granted.size > 0 && this.#granted.delete(id)) this.#brake.giveBack();
  }

  #setDue(id: number, due: number): void {
    this.#rows.setDue(id, due);
    if (due < this.#nextDue) this.#nextDue = due;
    if (due < this.#earliest) this.#earliest = due;
  }
}

const WEIGHT_OF_LAST = 0.25;
/** They take some milliseconds, with all that hear of them. */
const DUE_AT_A_TIME = 2_000;

/**
 * What becomes of an instance when a holder lets go: nothing, as another one's word counts; it goes on by its beats; it is gone; or
 * what the holder before had said is in force again.
 */
export type Released = 'unchanged' | 'beating' | 'gone' | Word;

/** What a holder has said, and for whom it counts. */
interface Word {
  readonly said: Registration;
  readonly peer: string;
}

/** What becomes of an instance: silence makes it unhealthy or takes it, or its connection has not come back. */
export type Due =
  | { readonly id: number; readonly to: 'unhealthy' | 'removed'; readonly silentMs: number }
  | { readonly id: number; readonly to: 'lost'; readonly by: Source | undefined };

/** What the client of the row has said. */
export function saidOf({ ip, port, cluster, ephemeral, weight, enabled, metadata }: Row, healthy: boolean): Registration {
  return { ip, port, cluster, ephemeral, weight, enabled, healthy, metadata };
}
