import type { Datagram } from './datagrams.ts';

/**
 * How much goes to a target: a few datagrams until one is acknowledged. Each is sent once more when it is not, and given up when the
 * second is not either: from then on the target gets one for each time that it asks, as a stranger is not to be flooded.
 */
export class Flow<R extends Recipient<R>> {
  readonly #now: () => number;
  readonly #out: Outlet<R>;
  readonly #unacknowledged = new Map<string, Sent<R>>();
  readonly #counts = { sent: 0, acked: 0, failed: 0 };

  /** `now` is in monotonic milliseconds. */
  constructor(now: () => number, out: Outlet<R>) {
    this.#now = now;
    this.#out = out;
  }

  /** What has been sent, acknowledged and given up since the start, and how many acknowledgements are waited for. */
  get counts(): { readonly sent: number; readonly acked: number; readonly failed: number; readonly waiting: number } {
    return { ...this.#counts, waiting: this.#unacknowledged.size };
  }

  /** Sends the datagram if there is room for it; and else notes that the recipient is to be told, of what is true then. Answers which. */
  offer(recipient: R, datagram: Datagram): boolean {
    const { target } = recipient;
    if (target.window === 0) {
      target.waiting.add(recipient);
      return false;
    }
    target.window--;
    target.waiting.delete(recipient);
    const key = keyOf(target.key, String(datagram.ref));
    this.#unacknowledged.set(key, { datagram, recipient, sentAt: this.#now(), isRepeated: false });
    this.#send(recipient, datagram);
    return true;
  }

  /** The recipient has asked, and reads the latest in the answer. It proves a caller, though no path for datagrams: worth one more try. */
  asked(recipient: R): void {
    const { target } = recipient;
    target.waiting.delete(recipient);
    if (target.silent) target.window = 1;
  }

  /** A target has acknowledged what has this reference. Answers who was told by it, if anybody was. */
  acknowledged(targetKey: string, ref: string): R | undefined {
    const key = keyOf(targetKey, ref);
    const recipient = this.#unacknowledged.get(key)?.recipient;
    if (recipient === undefined) return undefined;
    this.#unacknowledged.delete(key);
    this.#counts.acked++;
    const { target } = recipient;
    target.window = target.silent ? WINDOW : Math.min(target.window + 1, WINDOW);
    target.silent = false;
    for (const waiting of target.waiting) {
      if (target.window === 0) break;
      target.waiting.delete(waiting);
      this.#out.tell(waiting);
    }
    return recipient;
  }

  /** Sends again what was not acknowledged in time, and gives up what was not the second time. */
  repeat(): void {
    const now = this.#now();
    for (const [key, sent] of this.#unacknowledged) {
      if (now - sent.sentAt < ACK_WITHIN_MS) continue;
      const { target } = sent.recipient;
      if (!this.#out.mayHear(sent.recipient)) {
        this.#unacknowledged.delete(key);
        target.window = Math.min(target.window + 1, WINDOW);
      } else if (sent.isRepeated) {
        this.#unacknowledged.delete(key);
        this.#counts.failed++;
        target.silent = true;
        target.window = 0;
      } else {
        this.#unacknowledged.set(key, { ...sent, sentAt: now, isRepeated: true });
        this.#send(sent.recipient, sent.datagram);
      }
    }
  }

  #send({ ip, port }: R, { bytes }: Datagram): void {
    this.#counts.sent++;
    this.#out.send(bytes, ip, port);
  }
}

/** One who is told of something: one of those behind a target. */
export interface Recipient<R> {
  readonly ip: string;
  readonly port: number;
  readonly target: Target<R>;
}

/** One address and port, whatever it wants to be told of. */
export interface Target<R> {
  readonly key: string;
  /** How many datagrams may still go out before one is acknowledged. */
  window: number;
  /** Who is to be told once there is room again. */
  readonly waiting: Set<R>;
  /** Did not acknowledge when it was last tried. */
  silent: boolean;
}

export interface Outlet<R> {
  /** Whether it may still be told what it has asked for; it asks again if it may not. */
  readonly mayHear: (recipient: R) => boolean;
  readonly send: (bytes: Buffer, ip: string, port: number) => void;
  /** There is room: says to the recipient what is true now. */
  readonly tell: (recipient: R) => void;
}

interface Sent<R> {
  readonly datagram: Datagram;
  readonly recipient: R;
  readonly sentAt: number;
  readonly isRepeated: boolean;
}

/** A target of which nothing is known yet. */
export function newTarget<R>(key: string): Target<R> {
  return { key, window: WINDOW, waiting: new Set(), silent: false };
}

/** Tells targets apart. */
export function targetKeyOf(ip: string, port: number): string {
  return `${ip} ${port}`;
}

function keyOf(targetKey: string, ref: string): string {
  return `${targetKey} ${ref}`;
}

const ACK_WITHIN_MS = 10_000;
/** Unacknowledged datagrams that a target may have. */
const WINDOW = 16;
