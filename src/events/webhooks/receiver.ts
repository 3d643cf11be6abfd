import type { Logger } from 'pino';
import type { Cancel, Scheduler } from '../../wire/scheduler.ts';
import type { History } from '../history.ts';
import type { EventRecord } from '../record.ts';
import type { WebhookAddress } from './address.ts';
import { type Verdict, verdictOf } from './answers.ts';
import { FORM_RULES, type MessageRoom, messageFor, type ToBeTold } from './messages.ts';
import { type Post, TooLong } from './post.ts';

/**
 * Tells one receiver what happens, in order, from where it was: nothing queues up for it, it is told from the history, and what is kept
 * there no more is counted. A receiver that is down, slow or not set up is tried again and again, ever more seldom; what it refuses is
 * sent record by record, and one that it keeps refusing is left out. Each may have it twice, where an answer was lost.
 */
export class Receiver {
  readonly #address: WebhookAddress;
  readonly #room: ReceiverRoom;
  /** All up to this number is told, or not to be told. */
  #position = 0;
  /** There is something behind it. */
  #isBehind = false;
  #cancel: Cancel | undefined;
  #underWay: Promise<void> | undefined;
  /** In a row, of the same. */
  #failures = 0;
  #refusals = 0;
  #isClosing = false;
  #stopHearing: Cancel = () => {};

  constructor(address: WebhookAddress, room: ReceiverRoom) {
    this.#address = address;
    this.#room = room;
  }

  get position(): number {
    return this.#position;
  }

  /** So many records are not told yet, wanted or not. */
  get behind(): number {
    return this.#isBehind ? this.#room.history.lastSeq - this.#position : 0;
  }

  /** What was sent last was not taken. */
  get isFailing(): boolean {
    return this.#failures > 0 || this.#refusals > 0;
  }

  /** From after this number on. */
  start(position: number): void {
    const { history } = this.#room;
    this.#position = Math.min(position, history.lastSeq);
    this.#stopHearing = history.onEvent((record) => this.#hear(record));
    if (this.#toBeTold() === undefined) this.#moveTo(history.lastSeq);
    else this.#behind();
  }

  /** What is left is tried once more, at once, as long as it is taken and there is time. */
  async finish(deadline: AbortSignal): Promise<void> {
    this.#isClosing = true;
    this.#cancel?.();
    this.#cancel = undefined;
    await this.#underWay;
    for (let i = 0; i < LAST_MESSAGES && this.#isBehind && !deadline.aborted; i++) {
      const before = this.#position;
      await this.#sendSafely();
      if (this.#position === before) break;
    }
  }

  stop(): void {
    this.#isClosing = true;
    this.#stopHearing();
    this.#cancel?.();
  }

  #hear(record: EventRecord): void {
    if (this.#isBehind) return;
    if (this.#room.wants(record)) this.#behind();
    else this.#moveTo(record.seq);
  }

  #behind(): void {
    this.#isBehind = true;
    this.#sendAfter(GATHER_MS);
  }

  #sendAfter(ms: number): void {
    if (this.#isClosing || this.#cancel !== undefined || this.#underWay !== undefined) return;
    this.#cancel = this.#room.scheduler.after(ms, () => {
      this.#cancel = undefined;
      this.#underWay = this.#sendSafely().then((afterMs) => {
        this.#underWay = undefined;
        if (this.#isBehind) this.#sendAfter(afterMs);
      });
    });
  }

  async #sendSafely(): Promise<number> {
    try {
      return await this.#send();
    } catch (err) {
      this.#room.log.error({ err, webhook: this.#address.shown }, 'a webhook failed');
      return LAST_DELAY_MS;
    }
  }

  /** One message. Answers after how long the next one may be sent. */
  async #send(): Promise<number> {
    const told = this.#toBeTold();
    if (told === undefined) {
      this.#isBehind = false;
      this.#moveTo(this.#room.history.lastSeq);
      return 0;
    }
    const { secret, bridge, wallClock, history } = this.#room;
    const room: MessageRoom = { secret, bridge, now: wallClock(), behind: (record) => history.behind(record) };
    const message = messageFor(this.#address, told, room);
    const verdict = await this.#sent(message);
    const of = { ...told, records: told.records.slice(0, message.count) };
    switch (verdict.is) {
      case 'taken':
        return this.#taken(of);
      case 'later':
        return this.#failed(verdict);
      case 'refused':
        return this.#refused(of, verdict.why);
    }
  }

  #toBeTold(): ToBeTold | undefined {
    const { history, wants } = this.#room;
    const missed = Math.max(0, history.oldestSeq - 1 - this.#position);
    // What was refused with others is sent alone, to find out which it is.
    const most = this.#refusals > 0 ? 1 : FORM_RULES[this.#address.form].most;
    const records: EventRecord[] = [];
    for (const record of history.after(this.#position)) {
      if (wants(record)) records.push(record);
      if (records.length >= most) break;
    }
    return records.length === 0 && missed === 0 ? undefined : { records, missed };
  }

  async #sent(message: ReturnType<typeof messageFor>): Promise<Verdict> {
    const { post, scheduler, timeoutMs, wallClock } = this.#room;
    const abort = new AbortController();
    const cancel = scheduler.after(timeoutMs, () => abort.abort(new Error(`no answer within ${timeoutMs} ms`)));
    try {
      const answer = await (await post()).send(message, abort.signal);
      return verdictOf(this.#address.form, answer, wallClock());
    } catch (error) {
      return { is: 'later', why: reasonOf(error) };
    } finally {
      cancel();
    }
  }

  #taken({ records, missed }: ToBeTold): number {
    const { log, count, history } = this.#room;
    if (this.#failures + this.#refusals > 0)
      log.info({ webhook: this.#address.shown, tries: this.#failures + this.#refusals }, 'a webhook takes what it is told again');
    this.#failures = 0;
    this.#refusals = 0;
    count('taken');
    if (missed > 0) count('missed', missed);
    this.#moveTo(records.at(-1)?.seq ?? history.oldestSeq - 1);
    return FORM_RULES[this.#address.form].pauseMs;
  }

  #failed({ why, afterMs = 0 }: Extract<Verdict, { is: 'later' }>): number {
    const { log, count } = this.#room;
    if (this.#failures === 0) log.warn({ webhook: this.#address.shown, why }, 'a webhook cannot be told, trying again');
    count('failed');
    return Math.max(afterMs, delayOf(++this.#failures));
  }

  #refused({ records }: ToBeTold, why: string): number {
    const { log, count } = this.#room;
    if (this.#refusals === 0)
      log.warn({ webhook: this.#address.shown, why }, 'a webhook refuses what it is told, trying one by one');
    count('refused');
    this.#refusals++;
    const [record] = records;
    if (this.#refusals > MOST_TRIES && records.length <= 1) {
      count('dropped');
      const { seq, cause } = record ?? {};
      log.warn({ webhook: this.#address.shown, why, event: seq, cause }, 'an event is left out: a webhook keeps refusing it');
      this.#refusals = 1;
      this.#moveTo(record?.seq ?? this.#room.history.oldestSeq - 1);
    }
    return delayOf(this.#refusals);
  }

  #moveTo(seq: number): void {
    this.#position = seq;
    this.#room.moved();
  }
}

export interface ReceiverRoom {
  readonly history: History;
  readonly scheduler: Pick<Scheduler, 'after'>;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly log: Logger;
  readonly post: () => Promise<Post>;
  readonly wants: (record: EventRecord) => boolean;
  /** What messages are signed with. */
  readonly secret: string | undefined;
  /** Which bridge tells. */
  readonly bridge: string;
  /** For one answer. */
  readonly timeoutMs: number;
  /** Its position is another now. */
  readonly moved: () => void;
  readonly count: (result: WebhookResult, many?: number) => void;
}

/** What became of messages: taken, failed or refused; and of records: dropped or missed. */
export type WebhookResult = 'taken' | 'failed' | 'refused' | 'dropped' | 'missed';

/** What happens within a second is told together. */
const GATHER_MS = 1_000;
const FIRST_DELAY_MS = 1_000;
const LAST_DELAY_MS = 300_000;
/** Of one record that is refused: over 8 minutes, for somebody to put the receiver right. */
const MOST_TRIES = 10;
/** When the bridge goes. */
const LAST_MESSAGES = 10;

function delayOf(failures: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), LAST_DELAY_MS);
}

/** Nothing of the address, which may be secret, is in it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  if (error instanceof TooLong) return error.message;
  if ('code' in error && typeof error.code === 'string') return error.code.slice(0, 100);
  return error.message.startsWith('no answer within') ? error.message : error.name.slice(0, 100);
}
