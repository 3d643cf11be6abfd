import type { Duplex } from 'node:stream';
import { Answers } from './answers.ts';
import * as h2 from './codes.ts';
import { FrameReader } from './frame-reader.ts';
import { Frames } from './frames.ts';
import { Output } from './output.ts';
import type { Shared } from './shared.ts';

/** Streams are numbered up to 2^31 - 1 (RFC 9113 section 5.1.1): a connection that has got so far ends gracefully. */
const LAST_STREAM = 2 ** 30;
/** Read and dropped after the last words, so that the system does not cut them off. */
const LINGER_BYTES = 262_144;
const MAX_UNANSWERED = 2;
/** After so many requests in a row others get a turn: the system would go on reading from a peer that has more to say. */
const FAIR_REQUESTS = 1_000;

/** What our own PINGs say. */
const ARE_YOU_THERE = Buffer.from('alive?  ');
const LAST_CALL = Buffer.from('draining');

/** `draining`: the end is announced, and new streams are still served; `leaving`: they are not; `over`: nothing is read any more. */
type State = 'open' | 'draining' | 'leaving' | 'over';

/** One connection, from its first byte to its last: when it reads, when it writes, and how it ends. */
export class Connection {
  readonly #shared: Shared;
  readonly duplex: Duplex;
  readonly #output: Output;
  readonly #reader: FrameReader;
  readonly #answers: Answers;
  readonly #frames: Frames;
  readonly #engine: { forget(connection: Connection): void };
  #state: State = 'open';
  #isPaused = false;
  #isDirty = false;
  /** The stream from which the requests in a row are counted. */
  #fairFrom = 0;
  // Since when it is as it is, in ticks.
  readonly #since: number;
  #idleSince: number;
  #heardSince: number;
  #stuckSince: number;
  #drainSince = 0;
  #unanswered = 0;
  #cancelLinger: (() => void) | undefined;
  #lingerBytes = LINGER_BYTES;

  constructor(shared: Shared, duplex: Duplex, engine: { forget(connection: Connection): void }) {
    this.#shared = shared;
    this.duplex = duplex;
    this.#engine = engine;
    this.#since = shared.second;
    this.#idleSince = shared.second;
    this.#heardSince = shared.second;
    this.#stuckSince = shared.second;
    this.#output = new Output(duplex, shared.buffers, this);
    this.#answers = new Answers(shared, this.#output, this);
    this.#frames = new Frames(shared, this.#output, this.#answers, this);
    this.#reader = new FrameReader(this.#frames);
    duplex.on('data', (chunk: Buffer) => this.receive(chunk));
    duplex.on('drain', () => this.#turn('look'));
    duplex.once('end', () => this.#hungUp());
    duplex.once('close', () => this.#closed());
    // What a socket has to say of its end, `close` says too.
    duplex.on('error', ignore);
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
    this.#heardSince = this.#shared.second;
    this.#unanswered = 0;
    this.#turn(chunk);
    if (this.#frames.requests.lastId - this.#fairFrom > 2 * FAIR_REQUESTS) this.#giveWay();
  }

  #giveWay(): void {
    this.#fairFrom = this.#frames.requests.lastId;
    this.duplex.pause();
    this.#shared.timers.soon(() => {
      if (!this.#isPaused) this.duplex.resume();
    });
  }

  /** A second has passed. */
  tick(): void {
    this.#answers.budget.tick();
    this.#turn('look');
  }

  /** What waits to be written leaves. */
  flush(): void {
    this.#isDirty = false;
    this.#turn('flush');
  }

  /** Ends gracefully: says so, goes on with what is open, and with what comes before the peer knows (RFC 9113 section 6.8). */
  close(): void {
    if (this.#state !== 'open') return;
    if (!this.#frames.isGreeted) {
      this.#finish();
      return;
    }
    this.#state = 'draining';
    this.#drainSince = this.#shared.second;
    this.#output.goaway(h2.MAX_STREAM, h2.NO_ERROR, '');
    this.#output.whole(h2.PING, 0, 0, LAST_CALL);
  }

  destroy(): void {
    this.duplex.destroy();
    this.#forgetAll(h2.CANCEL);
  }

  /** Everything that happens to a connection happens in one of these, and what it has to say leaves in one write. */
  #turn(what: Buffer | 'look' | 'flush'): void {
    if (this.#isOver) return;
    this.#output.beginBurst();
    try {
      if (what === 'look') this.#look();
      else if (what !== 'flush') this.#reader.read(what);
      this.#answers.tell();
      if (this.#frames.requests.lastId >= LAST_STREAM) this.close();
    } catch (error) {
      this.#fail(error);
    }
    this.#output.endBurst();
    if (this.#isOver) return;
    const isLast = this.#state === 'leaving' || this.#frames.isLeft;
    if (isLast && this.#answers.table.size === 0) this.#finish();
    else if (!this.#isPaused && this.#output.unsent > this.#shared.limits.maxUnsentBytes) {
      this.#isPaused = true;
      this.duplex.pause();
    }
  }

  get #isOver(): boolean {
    return this.#state === 'over';
  }

  /** There may be room to send, and it may be too late for something. Does nothing more when it is called again in the same second. */
  #look(): void {
    const { second, limits } = this.#shared;
    if (this.duplex.writableLength === 0) {
      this.#stuckSince = second;
      if (this.#isPaused) this.duplex.resume();
      this.#isPaused = false;
    }
    const isLate = !this.#frames.isGreeted && second - this.#since >= limits.handshakeSeconds;
    if (isLate || second - this.#stuckSince >= limits.stallSeconds) {
      this.destroy();
      return;
    }
    const waitsSince = this.#frames.block?.since ?? (this.#reader.isWaiting ? this.#frames.lastAt : second);
    if (second - waitsSince >= limits.headerSeconds) h2.fail(h2.PROTOCOL_ERROR, 'a frame that does not end');
    this.#frames.requests.canSend();
    this.#frames.requests.checkTimes();
    if (this.#answers.table.size > 0) this.#idleSince = second;
    if (second - this.#idleSince >= limits.idleSeconds) this.close();
    if (this.#state === 'draining' && second - this.#drainSince >= limits.drainSeconds) this.#leave();
    if (!this.#frames.isGreeted || second - this.#heardSince < limits.pingSeconds * (this.#unanswered + 1)) return;
    if (this.#unanswered++ < MAX_UNANSWERED) this.#output.whole(h2.PING, 0, 0, ARE_YOU_THERE);
    else this.destroy();
  }

  /** The peer has answered a PING. */
  pong(payload: Buffer): void {
    if (this.#state === 'draining' && LAST_CALL.equals(payload)) this.#leave();
  }

  /** New streams are no longer served. */
  #leave(): void {
    this.#state = 'leaving';
    this.#frames.requests.isLeaving = true;
    this.#output.goaway(this.#frames.requests.lastServed, h2.NO_ERROR, '');
  }

  #fail(error: unknown): void {
    const { application } = this.#shared;
    const isPeers = error instanceof h2.ConnectionError;
    const code = isPeers ? error.code : h2.INTERNAL_ERROR;
    if (isPeers) application.failed(code, error.message);
    else application.bug(error);
    if (this.#reader.hasPreface) this.#output.goaway(this.#frames.requests.lastServed, code, isPeers ? error.message : '');
    this.#end(code);
  }

  /** Nothing is left to be done. */
  #finish(): void {
    if (this.#isOver) return;
    const isNews = this.#state !== 'leaving' && !this.#frames.isLeft;
    if (this.#frames.isGreeted && isNews) this.#output.goaway(this.#frames.requests.lastServed, h2.NO_ERROR, '');
    this.#end(h2.NO_ERROR);
  }

  /** The peer will say no more, and so has left. */
  #hungUp(): void {
    if (this.#isOver) return;
    this.#output.endBurst();
    if (this.duplex.writableLength === 0) this.destroy();
    else this.#end(h2.CANCEL);
  }

  /** The last words go out, and for a short time the peer may still talk: a connection with unread input is cut off by the system. */
  #end(code: number): void {
    this.#output.endBurst();
    this.#forgetAll(code);
    this.duplex.resume();
    this.duplex.end();
    this.#cancelLinger = this.#shared.timers.after(this.#shared.limits.lingerMs, () => this.destroy());
  }

  #forgetAll(code: number): void {
    if (this.#isOver) return;
    this.#state = 'over';
    this.#reader.stop();
    try {
      this.#answers.closeAll(code);
    } catch (error) {
      this.#shared.application.bug(error);
    }
  }

  #closed(): void {
    this.#forgetAll(h2.CANCEL);
    this.#cancelLinger?.();
    this.#engine.forget(this);
  }

  /** Something waits to be written, and nobody is about to. */
  dirty(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#shared.flushSoon(this);
  }
}

function ignore(): void {}
