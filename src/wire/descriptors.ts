import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Cancel, Scheduler } from './scheduler.ts';

/** How many files and sockets the system lets this process have open; infinite where it does not say (it does on Linux). */
export function descriptorLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * Shares the descriptors of the process among its ports and what it dials itself. Where none is left the system ends new connections without a word, those of
 * health too; so that part of them is for ports that serve health only, and whoever comes too late elsewhere is refused, and told of.
 */
export class Descriptors {
  #most: number;
  #mostOfOthers: number;
  readonly #scheduler: Scheduler;
  readonly #onRefused: (count: number, open: number) => void;
  #open = 0;
  #refused = 0;
  #cancelTelling: Cancel | undefined;

  /** `onRefused` hears of the first at once, and then how many there were, at most every 10 s. */
  constructor(limit: number, scheduler: Scheduler, onRefused: (count: number, open: number) => void) {
    this.#most = Math.max(1, limit - OWN);
    this.#mostOfOthers = Math.max(1, this.#most - reserveOf(this.#most));
    this.#scheduler = scheduler;
    this.#onRefused = onRefused;
  }

  /** Some are for connections that this process makes itself: as many as it wants, but a third of what callers may have at most. */
  setAside(wanted: number): number {
    const count = Math.min(wanted, Math.max(1, Math.floor(this.#mostOfOthers / 3)));
    this.#most -= count;
    this.#mostOfOthers -= count;
    return count;
  }

  /** False: it has been ended. `forHealth`: it came to a port that serves health only. */
  admit(socket: Socket, forHealth: boolean): boolean {
    if (this.#open < (forHealth ? this.#most : this.#mostOfOthers)) {
      this.#open++;
      socket.once('close', () => this.#open--);
      return true;
    }
    socket.on('error', () => {});
    socket.destroy();
    this.#refused++;
    if (this.#cancelTelling === undefined) this.#tell();
    return false;
  }

  /** Tells nothing more. */
  close(): void {
    this.#cancelTelling?.();
  }

  #tell(): void {
    this.#cancelTelling = undefined;
    if (this.#refused === 0) return;
    this.#onRefused(this.#refused, this.#open);
    this.#refused = 0;
    this.#cancelTelling = this.#scheduler.after(TELL_EVERY_MS, () => this.#tell());
  }
}

/** What the process has open for itself, with room for datagrams and the files of a look-up. */
const OWN = 40;
const TELL_EVERY_MS = 10_000;

function reserveOf(most: number): number {
  return Math.min(256, Math.max(8, Math.floor(most / 4)));
}
