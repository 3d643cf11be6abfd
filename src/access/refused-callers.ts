import type { Need } from '../rights/admission.ts';
import type { Refused } from '../wire/refused.ts';
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
  readonly #refused: Refused | undefined;
  /** Whoever was heard of last is last. */
  readonly #callers = new Map<string, Counted>();
  /** How many of these each address has, and each network. */
  readonly #kinds = new Map<string, number>();
  readonly #counts = new Map<RefusalReason, number>();
  /** In this minute, of callers that came once, when there was no room for them. */
  #others = 0;
  #cancel: Cancel | undefined;

  /** `refused`: where they are counted beside what is refused for a limit; nowhere when left out. */
  constructor(scheduler: Scheduler, tell: (told: Told) => void, refused?: Refused) {
    this.#scheduler = scheduler;
    this.#tell = tell;
    this.#refused = refused;
  }

  /** How many have been refused since the start, by reason. */
  get counts(): ReadonlyMap<RefusalReason, number> {
    return this.#counts;
  }

  refused(reason: RefusalReason, caller: Caller): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    this.#refused?.count(`callers (${reason})`, caller.address);
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

  #note(what: Told['what'], reason: RefusalReason, { address: own, client, need, example }: Caller): void {
    this.#cancel ??= this.#scheduler.every(SUMMARY_MS, () => this.#summarize());
    const address = this.#shown(own);
    const kinds = this.#kinds.get(address) ?? 0;
    // Who calls himself another each time must not take the room of all others.
    const names = kinds < MOST_KINDS ? [printable(client, 64)] : [printable(client, 64), 'and others'];
    const keys = names.map((name) => JSON.stringify([what, address, name, need]));
    for (const key of keys) {
      const known = this.#callers.get(key);
      if (known === undefined) continue;
      known.count++;
      known.reason = reason;
      this.#callers.delete(key);
      this.#callers.set(key, known);
      return;
    }
    const [key, name] = [keys.at(-1), names.at(-1)];
    if (key === undefined || name === undefined) return;
    const told = { what, address, client: name, need, example: printable(example, 100) };
    const isTold = this.#callers.size < MOST_CALLERS;
    if (!isTold) this.#makeRoom();
    this.#callers.set(key, { told, reason, count: isTold ? 0 : 1, quietMinutes: 0, isTold });
    for (const counted of countedBy(address)) this.#kinds.set(counted, (this.#kinds.get(counted) ?? 0) + 1);
    if (isTold) this.#tell({ ...told, reason, count: 1, isFirst: true });
  }

  /** Anybody has as many addresses of IPv6 as he likes: of a network with too many, the others are told together. */
  #shown(address: string): string {
    const network = networkOf(address);
    if (network === undefined || this.#kinds.has(address)) return address;
    return (this.#kinds.get(network) ?? 0) < MOST_OF_NETWORK ? address : network;
  }

  /** Of whom nothing was heard for the longest, so that who comes again and again stays, however many come once. */
  #makeRoom(): void {
    for (const [key, { told, count }] of this.#callers) {
      this.#others += count;
      this.#forget(key, told.address);
      return;
    }
  }

  #summarize(): void {
    for (const [key, caller] of this.#callers) {
      const { told, reason, count, isTold } = caller;
      // Who came once, when there were too many, is not worth a line.
      if (!isTold && count === 1) this.#others++;
      else if (count > 0 && (told.what !== 'hands-on' || !isTold)) {
        this.#tell({ ...told, reason, count, isFirst: !isTold });
        caller.isTold = true;
      }
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
    for (const counted of countedBy(address)) {
      const kinds = (this.#kinds.get(counted) ?? 0) - 1;
      if (kinds > 0) this.#kinds.set(counted, kinds);
      else this.#kinds.delete(counted);
    }
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
/** Of these, for all addresses of one network of IPv6. */
export const MOST_OF_NETWORK = 100;

interface Counted {
  readonly told: Omit<Told, 'reason' | 'count' | 'isFirst'>;
  reason: RefusalReason;
  count: number;
  quietMinutes: number;
  /** There has been a line. */
  isTold: boolean;
}

/** Of IPv6 one has a whole network of 64 bits. Undefined of IPv4, and of a network. */
function networkOf(address: string): string | undefined {
  return address.includes(':') && !address.includes('/') ? `${address.split(':', 4).join(':')}::/64` : undefined;
}

function countedBy(address: string): readonly string[] {
  const network = networkOf(address);
  return network === undefined ? [address] : [address, network];
}

function printable(text: string, most: number): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, most);
}
