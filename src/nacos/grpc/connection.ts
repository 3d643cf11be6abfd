import type { Source } from '../../registry/changes.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Permit } from '../../rights/admission.ts';
import type { Peer } from '../../wire/exchange.ts';
import type { Holding } from '../../wire/holdings.ts';
import type { Scheduler } from '../../wire/scheduler.ts';
import type { Walks } from '../walks.ts';
import type { Setup } from './bodies.ts';
import { Lapse } from './lapse.ts';
import { Liveness, type LivenessLimits } from './liveness.ts';
import { Outbox, type OutboxLimits } from './outbox.ts';
import { Rights } from './rights.ts';
import { Slots } from './slots.ts';

/** One client, for as long as its transport lives: who it is, what it has registered, what waits for it, and whether it is alive. */
export class Connection implements Holding {
  /** For whoever counts. */
  place = -1;
  readonly id: string;
  /** The transport, and who is at the other end of it. */
  readonly peer: Peer;
  readonly clientVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Who has said what is said over it. */
  readonly by: Source;
  readonly outbox: Outbox;
  readonly slots: Slots;
  /** By which it is told of what it has asked for. */
  readonly rights = new Rights();
  readonly lapse: Lapse;
  /** Why the server itself has cut the transport, if it has: what is seen of it then is only a broken stream. */
  #cutFor: EndReason | undefined;
  readonly #liveness: Liveness;
  readonly #limits: ConnectionLimits;

  /** `wake` is called when there is something to be taken from the outbox. */
  constructor({ id, peer, setup, since }: Introduction, { registry, walks, now, limits }: Surroundings, wake: () => void) {
    this.id = id;
    this.peer = peer;
    this.clientVersion = setup.clientVersion;
    this.labels = setup.labels;
    this.since = since;
    this.by = { connection: id, peer: peer.ip, agent: setup.clientVersion };
    this.outbox = new Outbox(now, limits, { wake, cut: () => this.cut('too-slow') });
    this.lapse = new Lapse(now);
    this.slots = new Slots(registry, this.by, walks);
    this.#liveness = new Liveness(now, limits);
    this.#limits = limits;
  }

  get ip(): string {
    return this.peer.ip;
  }

  get ended(): boolean {
    return this.outbox.ended;
  }

  /** For how long nothing has come from it, in milliseconds. */
  get silentMs(): number {
    return this.#liveness.silentMs;
  }

  /** It has given a sign of life. */
  heard(): void {
    this.#liveness.heard();
  }

  /** It has answered a request of the server's. */
  answered(requestId: string, succeeded: boolean): void {
    this.heard();
    this.outbox.answered(requestId, succeeded);
  }

  /** Ends the transport, and with it the connection. */
  cut(reason: EndReason): void {
    this.#cutFor ??= reason;
    this.peer.cut();
  }

  /** Asks for a sign of life when it is time to. Answers why the connection is to end, if it is. */
  inspect(): EndReason | undefined {
    this.outbox.giveUpUnanswered();
    const { due } = this.#liveness;
    if (due === 'end') return 'silent';
    // It lives and asks, but takes no pushes: it had better begin anew.
    if (this.outbox.waitingMs >= this.#limits.readWithinMs) return 'too-slow';
    if (due === 'ask') {
      this.#liveness.asked();
      this.outbox.ask('ClientDetectionRequest', { module: 'internal' }, () => this.#liveness.askedNoMore());
    }
    return undefined;
  }

  /** The process was deaf for so long, not the client. */
  postpone(ms: number): void {
    this.#liveness.postpone(ms);
    this.outbox.postpone(ms);
  }

  /** Nothing more goes out. */
  end(): void {
    this.outbox.end();
  }

  /** Why it has ended, where it was seen to end like this. */
  whyEnded(seen: EndReason): EndReason {
    return this.#cutFor ?? seen;
  }

  /** Lets go of all that it has registered, and answers how many instances that were. */
  letGo(reason: EndReason): number {
    return this.slots.end(reason);
  }
}

/**
 * Why a connection has ended. The client has closed it; it has broken off; nothing was heard of the client; it has not read what was meant
 * for it; there was no room for it, or for what it sent; its login was over.
 */
export type EndReason = 'closed' | 'reset' | 'silent' | 'too-slow' | 'refused' | 'login-ended';

/** Who a connection is. */
export interface Introduction {
  readonly id: string;
  readonly peer: Peer;
  readonly setup: Setup;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface Surroundings {
  readonly registry: Registry;
  readonly scheduler: Scheduler;
  readonly walks: Pick<Walks, 'begin'>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly limits: ConnectionLimits;
}

export interface ConnectionLimits extends LivenessLimits, OutboxLimits {
  /** How long a client may leave unread what is meant for it, in milliseconds. */
  readonly readWithinMs: number;
}

/** Who asks a question. */
export interface Asker {
  readonly connection: Connection;
  /** The same, as the registry's events tell it. */
  readonly by: Source;
  /** What accompanies the question, such as the token of a login. */
  readonly headers: Readonly<Record<string, string>>;
  readonly permit?: Permit | undefined;
}
