import type { Duplex } from 'node:stream';
import * as h2 from './codes.ts';
import { Frames } from './frames.ts';
import type { Shared } from './shared.ts';

/** Streams are numbered up to 2^31 - 1 (RFC 9113 section 5.1.1): a connection that has got so far ends gracefully. */
const LAST_STREAM = 2 ** 30;
/** For what is under way after a graceful end was announced, where the peer does not answer. */
const DRAIN_MS = 5_000;
/** After the last words so much is read and dropped, for so long, that the system does not cut them off. */
const LINGER_MS = 500;
const LINGER_BYTES = 262_144;
const MAX_UNANSWERED = 2;
/**
 * After so much in a row others get a turn: the system would go on reading from a peer that has more to say, and one read may ask for
 * much. A request counts 1, more for a handler, and 1 for each KiB that is answered.
 */
const FAIR_WORK = 1_000;
const WORK_OF_A_HANDLER = 64;
const BYTES_OF_WORK = 1_024;
/** So slowly a peer may read, and yet be heard of: its answer to a PING comes when it has read what stands before. */
const BYTES_PER_SECOND = 16_384;

/** What our own PINGs say. */
const ARE_YOU_THERE = Buffer.from('alive?  ');
const LAST_CALL = Buffer.from('draining');

/** `draining`: the end is announced, and new streams are still served; `leaving`: they are not; `over`: nothing is read any more. */
type State = 'open' | 'draining' | 'leaving' | 'over';

/** One connection, from its first byte to its last: when it reads, when it writes, and how it ends. The last of its layers. */
export class Connection extends Frames {
  at = 0;
  override unsentBytes = 0;
  #state: State = 'open';
  #isPaused = false;
  #isDirty = false;
  /** What there had been when others had their turn. */
  #fairId = 0;
  #fairBytes = 0;
  // Since when it is as it is.
  readonly #since = this.shared.now;
  #idleSince = this.#since;
  #heardSince = this.#since;
  #saidBefore = 0;
  /** What the system had taken when it was last looked at. */
  #taken = 0;
  #stuckSince = this.#since;
  #drainSince = 0;
  #unanswered = 0;
  /** PINGs that it has not acknowledged. */
  #pings = 0;
  #cancelLinger: (() => void) | undefined;
  #lingerBytes = LINGER_BYTES;

  constructor(shared: Shared, duplex: Duplex) {
    super(shared, duplex);
    duplex.on('data', (chunk: Buffer) => this.receive(chunk));
    duplex.on('drain', () => this.#turn('look'));
    duplex.on('end', () => this.#hungUp());
    duplex.on('close', () => this.#closed());
    // TLS tells of what is no TLS, and leaves the socket open.
    duplex.on('error', () => this.destroy());
    // Whoever has it from others may have paused it.
    duplex.resume();
  }

  /** Takes what the socket has read. */
  receive(chunk: Buffer): void {
    if (this.#state === 'over') {
      this.#lingerBytes -= chunk.length;
      if (this.#lingerBytes < 0) this.destroy();
      return;
    }
    this.#heardSince = this.shared.now;
    this.#saidBefore = this.output.said;
    this.#unanswered = 0;
    this.#goOn(chunk);
  }

  protected get isTired(): boolean {
    const bytes = this.output.said + this.waitingBytes - this.#fairBytes;
    const work = (this.lastId - this.#fairId) / 2 + WORK_OF_A_HANDLER * this.due + bytes / BYTES_OF_WORK;
    return work > FAIR_WORK || this.output.unsent > this.shared.limits.maxUnsentBytes;
  }

  /** Reads, as far as it is this peer's turn: what is left is read in the next. */
  #goOn(chunk: Buffer): void {
    this.#turn(chunk);
    if (!this.isInterrupted || this.#isPaused || this.#isOver) return;
    this.duplex.pause();
    this.#goOnSoon();
  }

  #goOnSoon(): void {
    this.shared.timers.soon(() => {
      this.#fairId = this.lastId;
      this.#fairBytes = this.output.said + this.waitingBytes;
      if (this.#isPaused || this.#isOver) return;
      this.duplex.resume();
      this.#goOn(NOTHING);
    });
  }

  /** A second has passed. */
  tick(): void {
    this.budget.tick();
    this.#turn('look');
  }

  /** Something waits to be written, or just waits. */
  protected dirty(): void {
    if (this.#isDirty || this.output.isBurst) return;
    this.#isDirty = true;
    this.shared.flushSoon(this);
  }

  flush(): void {
    this.#isDirty = false;
    this.#turn('flush');
  }

  /** Ends gracefully: says so, goes on with what is open, and with what comes before the peer knows (RFC 9113 section 6.8). */
  close(): void {
    if (this.#state !== 'open') return;
    if (!this.isGreeted) {
      this.#finish();
      return;
    }
    this.#state = 'draining';
    this.#drainSince = this.shared.now;
    this.output.numbers(h2.GOAWAY, 0, [h2.MAX_31, h2.NO_ERROR]);
    this.#pings++;
    this.output.whole(h2.PING, 0, 0, LAST_CALL);
  }

  /** Nothing is open. */
  get isIdle(): boolean {
    return this.table.size === 0;
  }

  /** Another number whenever something has been asked. */
  get mark(): number {
    return this.lastId;
  }

  /** Ends at once, as it is idle: what the peer has asked meanwhile it may ask again elsewhere (RFC 9113 section 6.8). */
  leave(): void {
    if (!this.isIdle) return;
    if (this.isGreeted) this.output.numbers(h2.GOAWAY, 0, [this.lastServed, h2.NO_ERROR]);
    this.#write();
    this.destroy();
  }

  calm(reason: string): void {
    if (this.#isOver) {
      this.destroy();
      return;
    }
    this.output.isBurst = true;
    this.#fail(new h2.ConnectionError(h2.ENHANCE_YOUR_CALM, reason));
    // It does not read that either.
    if (this.duplex.writableLength > 0) this.destroy();
  }

  destroy(): void {
    this.duplex.destroy();
    this.#forgetAll(h2.CANCEL);
    this.#leaveUnread(0);
  }

  /** Everything that happens to a connection happens in one of these, and what it has to say leaves in one write. */
  #turn(what: Buffer | 'look' | 'flush'): void {
    if (this.#isOver) return;
    this.output.isBurst = true;
    try {
      if (what === 'look') this.#look();
      else if (what !== 'flush') this.read(what);
      this.tell();
      if (this.lastId >= LAST_STREAM) this.close();
    } catch (error) {
      this.#fail(error);
    }
    this.#write();
    if (this.#isOver) return;
    const isLast = this.#state === 'leaving' || this.isLeft;
    if (isLast && this.table.size === 0) {
      this.#finish();
      return;
    }
    const { unsent } = this.output;
    if (!this.#isPaused && unsent > this.shared.limits.maxUnsentBytes) {
      this.#isPaused = true;
      this.duplex.pause();
    }
    this.#leaveUnread(unsent + this.waitingBytes);
  }

  #write(): void {
    this.output.isBurst = false;
    this.output.write();
  }

  #leaveUnread(bytes: number): void {
    const more = bytes - this.unsentBytes;
    this.unsentBytes = bytes;
    if (more !== 0) this.shared.totals.leaveUnread(more, this.shared.limits.maxUnsentBytesInAll);
  }

  get #isOver(): boolean {
    return this.#state === 'over';
  }

  /** There may be room to send, and it may be too late for something. Does nothing more when it is called again in the same second. */
  #look(): void {
    const { now, limits } = this.shared;
    const taken = this.output.said - this.output.unsent;
    if ((this.#taken > 0 && taken > this.#taken) || this.duplex.writableLength === 0) this.#stuckSince = now;
    this.#taken = taken;
    if (this.#isPaused && this.duplex.writableLength === 0) {
      this.#isPaused = false;
      this.#goOnSoon();
    }
    if (!this.isGreeted && now - this.#since > limits.headerTimeoutMs) this.#giveUp('no greeting in time');
    else if (now - this.#stuckSince > limits.stallTimeoutMs) this.#giveUp('a peer that does not read');
    if (this.#isOver) return;
    if (!this.isInterrupted && now - (this.waitsSince ?? now) > limits.headerTimeoutMs)
      h2.fail(h2.PROTOCOL_ERROR, 'a frame that does not end');
    this.serve();
    this.checkTimes();
    if (this.table.size > 0) this.#idleSince = now;
    if (now - this.#idleSince > limits.idleTimeoutMs) this.close();
    if (this.#state === 'draining' && now - this.#drainSince > DRAIN_MS) this.#leave();
    const patience =
      limits.pingIntervalMs * (this.#unanswered + 1) +
      Math.trunc((this.output.said - this.#saidBefore) / BYTES_PER_SECOND) * 1_000;
    if (!this.isGreeted || now - this.#heardSince < patience) return;
    if (this.#unanswered++ < MAX_UNANSWERED) {
      this.#pings++;
      this.output.whole(h2.PING, 0, 0, ARE_YOU_THERE);
    } else this.#giveUp('a peer that is not heard of');
  }

  /** There is nobody to be told. */
  #giveUp(reason: string): void {
    this.shared.totals.count(reason);
    this.destroy();
  }

  /** The peer has answered a PING, if there was one. */
  pong(payload: Buffer): boolean {
    const isAwaited = this.#pings > 0;
    if (isAwaited) this.#pings--;
    if (this.#state === 'draining' && LAST_CALL.equals(payload)) this.#leave();
    return isAwaited;
  }

  /** New streams are no longer served. */
  #leave(): void {
    this.#state = 'leaving';
    this.isLeaving = true;
    this.output.numbers(h2.GOAWAY, 0, [this.lastServed, h2.NO_ERROR]);
  }

  #fail(error: unknown): void {
    const { application } = this.shared;
    const isPeers = error instanceof h2.ConnectionError;
    const code = isPeers ? error.code : h2.INTERNAL_ERROR;
    if (isPeers) {
      if (code === h2.ENHANCE_YOUR_CALM) this.overLimit(error.message);
      else this.shared.totals.count(error.message);
      application.failed(code, error.message);
    } else application.bug(error);
    if (this.hasPreface) this.output.numbers(h2.GOAWAY, 0, [this.lastServed, code], isPeers ? error.message : '');
    this.#end(code);
  }

  /** Nothing is left to be done. */
  #finish(): void {
    if (this.#isOver) return;
    const isNews = this.#state !== 'leaving' && !this.isLeft;
    if (this.isGreeted && isNews) this.output.numbers(h2.GOAWAY, 0, [this.lastServed, h2.NO_ERROR]);
    this.#end(h2.NO_ERROR);
  }

  /** The peer will say no more, and so has left. */
  #hungUp(): void {
    if (this.#isOver) return;
    this.#write();
    if (this.duplex.writableLength === 0) this.destroy();
    else this.#end(h2.CANCEL);
  }

  /**
   * The last words go out, and for a short time the peer may still talk: a connection with unread input is cut off by the system. Where
   * nothing went wrong the peer has the time for stalls to take what it was answered.
   */
  #end(code: number): void {
    this.#write();
    this.#forgetAll(code);
    this.duplex.resume();
    const { timers, limits } = this.shared;
    const destroy = () => this.destroy();
    const isSlow = code === h2.NO_ERROR && this.duplex.writableLength > 0;
    this.#cancelLinger = timers.after(isSlow ? limits.stallTimeoutMs : LINGER_MS, destroy);
    this.duplex.end();
    if (!isSlow) return;
    this.#leaveUnread(this.duplex.writableLength);
    this.duplex.once('finish', () => {
      this.#leaveUnread(0);
      this.#cancelLinger?.();
      this.#cancelLinger = timers.after(LINGER_MS, destroy);
    });
  }

  #forgetAll(code: number): void {
    if (this.#isOver) return;
    this.#state = 'over';
    this.isStopped = true;
    this.#leaveUnread(0);
    try {
      this.endAll(code);
    } catch (error) {
      this.shared.application.bug(error);
    }
  }

  #closed(): void {
    this.#forgetAll(h2.CANCEL);
    this.#leaveUnread(0);
    this.#cancelLinger?.();
    this.shared.leave(this);
  }
}

const NOTHING = Buffer.alloc(0);
