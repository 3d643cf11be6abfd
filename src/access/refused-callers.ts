import type { Need } from '../rights/admission.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';
import type { RefusalReason } from './refusals.ts';

/**
 * Who is refused, told where operators look: half of the clients swallow the text, so that the server's own word is the only one. Each
 * caller once for each kind of call, and from then on so many a minute. With users, also who is let in without a login, so that it can be
 * told when the last of them has moved.
 */
export class RefusedCallers {
  readonly #scheduler: Scheduler;
  readonly #tell: (told: Told) => void;
  readonly #callers = new Map<string, Counted>();
  /** How many of these each address has. */
  readonly #kinds = new Map<string, number>();
  readonly #counts = new Map<RefusalReason, number>();
  /** In this minute, of callers that there was no room for. */
  #others = 0;
  #cancel: Cancel | undefined;

  constructor(scheduler: Scheduler, tell: (told: Told) => void) {
    this.#scheduler = scheduler;
    this.#tell = tell;
  }

  /** How many have been refused since the start, by reason. */
  get counts(): ReadonlyMap<RefusalReason, number> {
    return this.#counts;
  }

  refused(reason: RefusalReason, caller: Caller): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    this.#note('refused', reason, caller);
  }

  letIn(reason: RefusalReason, caller: Caller): void {
    this.#note('let-in', reason, caller);
  }

  /** A trusted address hands on what others ask: whoever reaches it is trusted as it is. */
  handsOn(caller: Caller): void {
    this.#note('hands-on', 'forwarded', { ...caller, client: '', need: undefined });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#callers.clear();
    this.#kinds.clear();
  }

  #note(what: Told['what'], reason: RefusalReason, { address, client, need, example }: Caller): void {
    this.#cancel ??= this.#scheduler.every(SUMMARY_MS, () => this.#summarize());
    const kinds = this.#kinds.get(address) ?? 0;
    // Who calls himself another each time must not take the room of all others.
    const names = kinds < MOST_KINDS ? [printable(client, 64)] : [printable(client, 64), 'and others'];
    const keys = names.map((name) => JSON.stringify([what, address, name, need]));
    const known = keys.map((key) => this.#callers.get(key)).find((one) => one !== undefined);
    if (known !== undefined) {
      known.count++;
      known.reason = reason;
      return;
    }
    const [key, name] = [keys.at(-1), names.at(-1)];
    if (this.#callers.size >= MOST_CALLERS || key === undefined || name === undefined) {
      this.#others++;
      return;
    }
    const told = { what, address, client: name, need, example: printable(example, 100) };
    this.#callers.set(key, { told, reason, count: 0, quietMinutes: 0 });
    this.#kinds.set(address, kinds + 1);
    this.#tell({ ...told, reason, count: 1, isFirst: true });
  }

  #summarize(): void {
    for (const [key, caller] of this.#callers) {
      const { told, reason, count } = caller;
      if (count > 0 && told.what !== 'hands-on') this.#tell({ ...told, reason, count, isFirst: false });
      caller.quietMinutes = count > 0 ? 0 : caller.quietMinutes + 1;
      caller.count = 0;
      // Who comes back after that is news again.
      if (caller.quietMinutes >= FORGOTTEN_AFTER_MINUTES) this.#forget(key, told.address);
    }
    if (this.#others > 0)
      this.#tell({
        what: 'refused',
        address: 'others',
        client: '',
        need: undefined,
        example: '',
        reason: undefined,
        count: this.#others,
        isFirst: false,
      });
    this.#others = 0;
    if (this.#callers.size === 0) this.stop();
  }

  #forget(key: string, address: string): void {
    this.#callers.delete(key);
    const kinds = (this.#kinds.get(address) ?? 0) - 1;
    if (kinds > 0) this.#kinds.set(address, kinds);
    else this.#kinds.delete(address);
  }
}

export interface Caller {
  /** Where it is, as the connection, or a named proxy, says. */
  readonly address: string;
  /** How it calls itself. */
  readonly client: string;
  readonly need: Need | undefined;
  /** What it asked, in a few words: no parameter that could be a secret. */
  readonly example: string;
}

export interface Told extends Caller {
  readonly what: 'refused' | 'let-in' | 'hands-on';
  /** Undefined of several at once. */
  readonly reason: RefusalReason | undefined;
  /** How many since it was told last. */
  readonly count: number;
  /** The first of its kind: an operator has not heard of it before. */
  readonly isFirst: boolean;
}

/** One line for a log: `refused 37 writes from 10.2.3.4 (Nacos-Go-Client:v2.3.5): not-trusted; e.g. register orders`. */
export function toldLine({ what, address, client, need, reason, count, example }: Told): string {
  if (what === 'hands-on') return `${address} is trusted and hands on what others ask: whoever reaches it is trusted as it is`;
  const verb = what === 'refused' ? 'refused' : 'let in without a login';
  const calls = `${count} ${need === undefined ? 'call' : need}${count === 1 ? '' : 's'}`;
  const rest = example === '' ? '' : `; e.g. ${example}`;
  return `${verb} ${calls} from ${address || 'unknown'}${client === '' ? '' : ` (${client})`}${reason === undefined ? '' : `: ${reason}`}${rest}`;
}

const SUMMARY_MS = 60_000;
const FORGOTTEN_AFTER_MINUTES = 10;
/** Address, client and kind of call together. */
export const MOST_CALLERS = 1_000;
/** Of these, for one address. */
export const MOST_KINDS = 20;

interface Counted {
  readonly told: Omit<Told, 'reason' | 'count' | 'isFirst'>;
  reason: RefusalReason;
  count: number;
  quietMinutes: number;
}

function printable(text: string, most: number): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, most);
}
