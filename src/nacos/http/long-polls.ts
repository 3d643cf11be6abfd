import { originOf } from '../../wire/addresses.ts';
import { type Holding, Holdings } from '../../wire/holdings.ts';
import type { Cancel, Scheduler } from '../../wire/scheduler.ts';
import { Shares } from '../../wire/shares.ts';
import type { ConfigListener, ConfigListeners } from '../config-listeners.ts';
import type { Configs } from '../configs.ts';
import { RequestError } from '../errors.ts';
import { type InterestBytes, sizeOfListening } from '../interest-bytes.ts';
import type { ListenedText } from './listening-configs.ts';
import { RecentlyTold } from './recently-told.ts';

/**
 * Requests of clients of 1.x that wait for a text to change. Each ends with what has changed, or with nothing: when its time is over,
 * when its caller leaves, when the server goes, and when another address has less and there is no room for it else. Nothing of it is left
 * then. It writes no answer.
 */
export class LongPolls {
  readonly #options: LongPollsOptions;
  readonly #told: RecentlyTold;
  /** What ends those that have not been answered. */
  readonly #open = new Set<() => void>();
  readonly #polls: Holdings<Poll>;
  /** Those that listen to nothing, and are only not answered at once: they are in nobody's way. */
  readonly #held: Shares;
  /** To how many texts they listen, by origin, and all. */
  readonly #textsOf = new Map<string, number>();
  #texts = 0;
  #closed = false;

  constructor(options: LongPollsOptions) {
    this.#options = options;
    this.#told = new RecentlyTold(options.scheduler);
    const { maxLongPolls: inAll, maxLongPollsPerPeer: ofOne } = options.limits;
    this.#polls = new Holdings({ inAll, ofOne });
    this.#held = new Shares({ inAll, ofOne });
  }

  /**
   * Resolves with the texts that are not as the caller has them: at once if there are any, else with the first that changes, and with
   * none after `ms`. Rejects when the caller, or all together, listen to more than they may.
   */
  wait(texts: readonly ListenedText[], { ip, ms, onLeave, bytes: ownBytes = 0 }: Waiter): Promise<readonly ListenedText[]> {
    const { configs } = this.#options;
    const changed = changedAmong(configs, texts);
    if (this.#closed || (changed.length > 0 && !this.#told.repeats(ip, changed))) return Promise.resolve(changed);
    const bytes = ownBytes + sizeOf(texts);
    // It does not learn by being told the same again: npm's client, set to GBK, never comes to the md5 of what it has read.
    if (changed.length > 0) {
      if (this.#options.interestBytes?.lackFor(ip, bytes) !== undefined) return Promise.resolve(changed);
      return new Promise((resolve) => {
        const done = this.#counted(ip, bytes, resolve);
        this.#later(ip, onLeave, () => done(changedAmong(configs, texts)));
      });
    }
    const refusal = this.#refusalOf(ip, texts.length, bytes);
    // npm's client asks again at once after any refusal, thousands of times a second. Nothing of it is kept meanwhile.
    if (refusal !== undefined) return this.#refuseLater(refusal, ip, onLeave);
    return new Promise((resolve) => onLeave(this.#listen(texts, ip, ms, this.#counted(ip, bytes, resolve))));
  }

  #refuseLater(refusal: RequestError, ip: string, onLeave: Waiter['onLeave']): Promise<never> {
    return new Promise((_, reject) => this.#later(ip, onLeave, () => reject(refusal)));
  }

  /** So much is kept until `done` has been called. */
  #counted<T>(ip: string, bytes: number, done: (said: T) => void): (said: T) => void {
    const { interestBytes } = this.#options;
    interestBytes?.add(ip, bytes);
    return (said) => {
      interestBytes?.add(ip, -bytes);
      done(said);
    };
  }

  /** Ends all that wait, with nothing, and from now on nobody waits. */
  close(): void {
    this.#closed = true;
    this.#told.close();
    for (const end of [...this.#open]) end();
  }

  /** One of the origin ends, the latest about, where it has any. */
  giveWay(origin: string): void {
    this.#polls.all(origin).at(-1)?.end();
  }

  /** How many wait for a text to change now. */
  get count(): number {
    return this.#polls.count;
  }

  /** Answers what ends it. */
  #listen(texts: readonly ListenedText[], ip: string, ms: number, done: (changed: readonly ListenedText[]) => void): () => void {
    const { listeners } = this.#options;
    let changed: readonly ListenedText[] = [];
    const interests: ConfigListener[] = [];
    const end = this.#openFor(ms, () => {
      for (const interest of interests) listeners.delete(interest);
      this.#polls.delete(poll);
      this.#count(ip, -texts.length);
      done(changed);
    });
    const poll: Poll = { ip, place: -1, end };
    this.#polls.add(poll);
    this.#count(ip, texts.length);
    for (const text of texts) {
      if (text.id === undefined) continue;
      const onChange = () => {
        changed = [text];
        end();
      };
      const interest = { text: text.id, ip, md5: text.md5, changed: onChange };
      interests.push(interest);
      listeners.add(interest);
    }
    return end;
  }

  #count(ip: string, texts: number): void {
    const origin = originOf(ip);
    const ofOrigin = (this.#textsOf.get(origin) ?? 0) + texts;
    this.#texts += texts;
    if (ofOrigin > 0) this.#textsOf.set(origin, ofOrigin);
    else this.#textsOf.delete(origin);
  }

  /** Calls `done` after a while, or at once where so many wait for that already. */
  #later(ip: string, onLeave: Waiter['onLeave'], done: () => void): void {
    if (this.#held.limitFor(ip) !== undefined) {
      done();
      return;
    }
    this.#held.add(ip);
    const end = this.#openFor(NOT_AT_ONCE_MS, () => {
      this.#held.remove(ip);
      done();
    });
    onLeave(end);
  }

  /** Calls `done` once: after `ms`, or when what is answered is called before that. */
  #openFor(ms: number, done: () => void): () => void {
    let cancel: Cancel = () => {};
    const end = () => {
      if (!this.#open.delete(end)) return;
      cancel();
      done();
    };
    this.#open.add(end);
    cancel = this.#options.scheduler.after(ms, end);
    return end;
  }

  #refusalOf(ip: string, texts: number, bytes: number): RequestError | undefined {
    const { maxLongPolls, maxLongPollsPerPeer, maxPolledConfigs, maxPolledConfigsPerPeer } = this.#options.limits;
    const own = this.#textsOf.get(originOf(ip)) ?? 0;
    if (this.#polls.of(ip) >= maxLongPollsPerPeer) return tooMany(`${maxLongPollsPerPeer} long polls from one address`);
    if (own + texts > maxPolledConfigsPerPeer) return tooMany(`${maxPolledConfigsPerPeer} configs listened to from one address`);
    const lack = this.#options.interestBytes?.lackFor(ip, bytes);
    if (lack !== undefined) return tooMany(lack);
    if (this.#polls.limitFor(ip) !== undefined) this.#polls.above(ip).at(-1)?.end();
    if (this.#polls.limitFor(ip) !== undefined) return tooMany(`${maxLongPolls} long polls`);
    if (this.#texts + texts > maxPolledConfigs) this.#makeRoom(own + texts, this.#texts + texts - maxPolledConfigs);
    return this.#texts + texts > maxPolledConfigs ? tooMany(`${maxPolledConfigs} configs listened to`) : undefined;
  }

  /** Ends polls of the origin that listens to most, as far as that is to more than `than`, until there is room for so many texts more. */
  #makeRoom(than: number, room: number): void {
    let [largest, most] = ['', 0];
    for (const [origin, count] of this.#textsOf) if (count > most) [largest, most] = [origin, count];
    const enough = this.#texts - room;
    for (const poll of [...this.#polls.all(largest)].reverse()) {
      if (this.#texts <= enough || (this.#textsOf.get(largest) ?? 0) <= than) return;
      poll.end();
    }
  }
}

interface Poll extends Holding {
  readonly end: () => void;
}

/** Those that are not as the caller has them. */
export function changedAmong(configs: Configs, texts: readonly ListenedText[]): readonly ListenedText[] {
  return texts.filter(({ id, md5 }) => id !== undefined && configs.differs(id, md5));
}

export interface LongPollsOptions {
  readonly configs: Configs;
  readonly listeners: ConfigListeners;
  readonly scheduler: Scheduler;
  readonly limits: LongPollsLimits;
  /** Where it is counted what is kept of them; nowhere when left out. */
  readonly interestBytes?: InterestBytes | undefined;
}

export interface LongPollsLimits {
  readonly maxLongPolls: number;
  readonly maxLongPollsPerPeer: number;
  /** Texts to which all long polls listen, each counted as often as it is listened to. */
  readonly maxPolledConfigs: number;
  readonly maxPolledConfigsPerPeer: number;
}

/** Who waits, and for how long at most. */
export interface Waiter {
  readonly ip: string;
  readonly ms: number;
  /** What is kept of the request beside its texts. */
  readonly bytes?: number;
  /** Calls what it is given when the caller has left. */
  readonly onLeave: (end: () => void) => void;
}

const NOT_AT_ONCE_MS = 2_000;
/** What it takes that a request waits, whatever it has said. */
const PER_POLL = 8_192;

/** The names are kept as they were asked, too. */
function sizeOf(texts: readonly ListenedText[]): number {
  let bytes = PER_POLL;
  for (const { id, dataId, group, tenant, md5 } of texts)
    if (id !== undefined) bytes += sizeOfListening(id, dataId.length + group.length + tenant.length + md5.length);
  return bytes + PER_PLACE * texts.length;
}

/** Also of one that nothing is ever told of. */
const PER_PLACE = 16;

function tooMany(what: string): RequestError {
  return new RequestError('too-many-polls', `more than ${what}: ask again later`);
}
