import type { Cancel, Scheduler } from '../../wire/scheduler.ts';
import type { ConfigListener, ConfigListeners } from '../config-listeners.ts';
import type { Configs } from '../configs.ts';
import { RequestError } from '../errors.ts';
import { type InterestBytes, sizeOfListening } from '../interest-bytes.ts';
import type { ListenedText } from './listening-configs.ts';
import { RecentlyTold } from './recently-told.ts';

/**
 * Requests of clients of 1.x that wait for a text to change. Each ends with what has changed, or with nothing: when its time is over,
 * when its caller leaves, when the server goes. Nothing of it is left then. It writes no answer.
 */
export class LongPolls {
  readonly #options: LongPollsOptions;
  readonly #told: RecentlyTold;
  readonly #waiting = new Set<() => void>();
  readonly #ofPeer = new Map<string, { polls: number; texts: number }>();
  #texts = 0;
  #closed = false;

  constructor(options: LongPollsOptions) {
    this.#options = options;
    this.#told = new RecentlyTold(options.scheduler);
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
    const refusal = this.#refusalOf(ip, texts.length, bytes);
    if (refusal !== undefined) return this.#refuseLater(refusal, onLeave);
    return new Promise((resolve) => {
      const done = this.#counted(ip, bytes, resolve);
      // It does not learn by being told the same again: npm's, set to GBK, never comes to the md5 of what it has read.
      if (changed.length > 0) onLeave(this.#hold(NOT_AT_ONCE_MS, () => done(changedAmong(configs, texts))));
      else onLeave(this.#listen(texts, ip, ms, done));
    });
  }

  /** Not at once: npm's client asks again at once after any refusal, thousands of times a second. Nothing of it is kept meanwhile. */
  #refuseLater(refusal: RequestError, onLeave: Waiter['onLeave']): Promise<never> {
    return new Promise((_, reject) => onLeave(this.#hold(NOT_AT_ONCE_MS, () => reject(refusal))));
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
    for (const end of [...this.#waiting]) end();
  }

  /** How many wait now. */
  get count(): number {
    return this.#waiting.size;
  }

  /** Answers what ends it. */
  #listen(texts: readonly ListenedText[], ip: string, ms: number, done: (changed: readonly ListenedText[]) => void): () => void {
    const { listeners } = this.#options;
    const ofPeer = this.#ofPeer.get(ip) ?? { polls: 0, texts: 0 };
    this.#ofPeer.set(ip, ofPeer);
    const count = (by: 1 | -1) => {
      ofPeer.polls += by;
      ofPeer.texts += by * texts.length;
      this.#texts += by * texts.length;
    };
    count(1);
    let changed: readonly ListenedText[] = [];
    const interests: ConfigListener[] = [];
    const end = this.#hold(ms, () => {
      for (const interest of interests) listeners.delete(interest);
      count(-1);
      if (ofPeer.polls === 0) this.#ofPeer.delete(ip);
      done(changed);
    });
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

  /** Calls `done` once: after `ms`, or when what is answered is called before that. */
  #hold(ms: number, done: () => void): () => void {
    let cancel: Cancel = () => {};
    const end = () => {
      if (!this.#waiting.delete(end)) return;
      cancel();
      done();
    };
    this.#waiting.add(end);
    cancel = this.#options.scheduler.after(ms, end);
    return end;
  }

  #refusalOf(ip: string, texts: number, bytes: number): RequestError | undefined {
    const { maxLongPolls, maxLongPollsPerPeer, maxPolledConfigs, maxPolledConfigsPerPeer } = this.#options.limits;
    const ofPeer = this.#ofPeer.get(ip) ?? { polls: 0, texts: 0 };
    if (ofPeer.polls >= maxLongPollsPerPeer) return tooMany(`${maxLongPollsPerPeer} long polls from one address`);
    if (this.#waiting.size >= maxLongPolls) return tooMany(`${maxLongPolls} long polls`);
    if (ofPeer.texts + texts > maxPolledConfigsPerPeer)
      return tooMany(`${maxPolledConfigsPerPeer} configs listened to from one address`);
    if (this.#texts + texts > maxPolledConfigs) return tooMany(`${maxPolledConfigs} configs listened to`);
    const lack = this.#options.interestBytes?.lackFor(ip, bytes);
    return lack === undefined ? undefined : tooMany(lack);
  }
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
