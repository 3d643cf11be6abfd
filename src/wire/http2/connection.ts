import type { Duplex } from 'node:stream';
import { Answers } from './answers.ts';
import { Budget } from './budget.ts';
import * as h2 from './codes.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import { HeaderBlock } from './header-block.ts';
import { Output } from './output.ts';
import { Requests } from './requests.ts';
import type { Shared } from './shared.ts';

/** Streams are numbered up to 2^31 - 1 (RFC 9113 section 5.1.1): a connection that has got so far ends gracefully. */
const LAST_STREAM = 2 ** 30;
const MAX_STREAM = 0x7fff_ffff;
const MAX_SETTINGS_BYTES = 6 * 32;
/** Read and dropped after the last words, so that the system does not cut them off. */
const LINGER_BYTES = 262_144;

/** What our own PINGs say. */
const ARE_YOU_THERE = Buffer.from('alive?  ');
const LAST_CALL = Buffer.from('draining');

/** `draining`: the end is announced, and new streams are still served; `leaving`: they are not; `over`: nothing is read any more. */
type State = 'open' | 'draining' | 'leaving' | 'over';

/** One connection, from its first byte to its last. */
export class Connection implements FrameSink {
  readonly #shared: Shared;
  readonly #duplex: Duplex;
  readonly #output: Output;
  readonly #reader: FrameReader;
  readonly #budget: Budget;
  readonly #answers: Answers;
  readonly #requests: Requests;
  readonly #onClose: (connection: Connection) => void;
  /** A header of which some has come. */
  #block: HeaderBlock | undefined;
  #state: State = 'open';
  /** The peer's SETTINGS have come. */
  #isGreeted = false;
  /** The peer has acknowledged our SETTINGS. */
  #isAcknowledged = false;
  /** It has been told, or will be, that we do not use its table. */
  #hasTableUpdate = false;
  /** The peer has said GOAWAY. */
  #isLeft = false;
  /** What the peer may still send, and what it has sent since it was last told. */
  #window: number;
  #received = 0;
  #isPaused = false;
  #isDirty = false;
  // In ticks: since when it is as it is.
  readonly #since: number;
  #idleSince: number;
  #heardSince: number;
  #waitsSince: number;
  #stuckSince: number;
  #drainSince = 0;
  #unanswered = 0;
  #cancelLinger: (() => void) | undefined;
  #lingerBytes = LINGER_BYTES;

  constructor(shared: Shared, duplex: Duplex, onClose: (connection: Connection) => void) {
    this.#shared = shared;
    this.#duplex = duplex;
    this.#onClose = onClose;
    this.#window = shared.limits.connectionWindowBytes;
    this.#since = shared.second;
    this.#idleSince = shared.second;
    this.#heardSince = shared.second;
    this.#waitsSince = shared.second;
    this.#stuckSince = shared.second;
    this.#output = new Output(duplex, shared.buffers, () => this.#dirty());
    this.#budget = new Budget(shared.limits);
    this.#reader = new FrameReader(this);
    this.#answers = new Answers(shared, this.#output, this.#budget, () => this.destroy());
    this.#requests = new Requests(shared, this.#budget, this.#answers);
    duplex.on('data', (chunk: Buffer) => this.receive(chunk));
    duplex.on('drain', () => this.#turn('look'));
    duplex.once('end', () => this.#finish());
    duplex.once('close', () => this.#closed());
    // What a socket has to say of its end, `close` says too.
    duplex.on('error', () => {});
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
  }

  /** A second has passed. */
  tick(): void {
    this.#budget.tick();
    this.#turn('look');
  }

  /** Ends gracefully: says so, goes on with what is open, and with what comes before the peer knows (RFC 9113 section 6.8). */
  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    this.#drainSince = this.#shared.second;
    if (!this.#isGreeted) {
      this.#finish();
      return;
    }
    this.#output.goaway(MAX_STREAM, h2.NO_ERROR, '');
    this.#output.whole(h2.PING, 0, 0, LAST_CALL);
  }

  /** What waits to be written leaves. */
  flush(): void {
    this.#isDirty = false;
    this.#turn('flush');
  }

  destroy(): void {
    this.#duplex.destroy();
    this.#forgetAll(h2.CANCEL);
  }

  /** Everything that happens to a connection happens in one of these, and what it has to say leaves in one write. */
  #turn(what: Buffer | 'look' | 'flush'): void {
    if (this.#state === 'over') return;
    this.#output.beginBurst();
    try {
      if (what === 'look') this.#look();
      else if (what !== 'flush') this.#reader.read(what);
      this.#answers.tell();
      if (this.#requests.lastId >= LAST_STREAM) this.close();
    } catch (error) {
      this.#fail(error);
    }
    this.#output.endBurst();
    if (this.#isOver()) return;
    const isLast = this.#state === 'leaving' || this.#isLeft;
    if (isLast && this.#answers.table.size === 0) this.#finish();
    else if (!this.#isPaused && this.#output.unsent > this.#shared.limits.maxUnsentBytes) {
      this.#isPaused = true;
      this.#duplex.pause();
    }
  }

  /** Whatever has been called may have ended it. */
  #isOver(): boolean {
    return this.#state === 'over';
  }

  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (this.#state === 'over') return;
    this.#waitsSince = this.#shared.second;
    if (!this.#isGreeted) this.#greet(type, flags);
    if (this.#block && (type !== h2.CONTINUATION || id !== this.#block.id)) {
      throw new h2.ConnectionError(h2.PROTOCOL_ERROR, 'another frame inside a header block');
    }
    switch (type) {
      case h2.DATA:
        this.#data(flags, id, bytes, start, end);
        return;
      case h2.HEADERS:
        this.#headers(flags, id, bytes, start, end);
        return;
      case h2.CONTINUATION:
        this.#continuation(flags, bytes, start, end);
        return;
      case h2.RST_STREAM:
        this.#onStream(id);
        expectLength(start, end, 4);
        this.#requests.resetByPeer(id, bytes.readUInt32BE(start));
        return;
      case h2.WINDOW_UPDATE:
        this.#windowUpdate(id, bytes, start, end);
        return;
      case h2.PRIORITY:
        if (id === 0) throw new h2.ConnectionError(h2.PROTOCOL_ERROR, 'PRIORITY on no stream');
        expectLength(start, end, 5);
        expectOther(id, bytes, start);
        this.#budget.control();
        return;
      case h2.PUSH_PROMISE:
        throw new h2.ConnectionError(h2.PROTOCOL_ERROR, 'PUSH_PROMISE from a client');
      default:
        this.#control(type, flags, id, bytes, start, end);
    }
  }

  /** What is not about any stream. */
  #control(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (type !== h2.SETTINGS && type !== h2.PING && type !== h2.GOAWAY) {
      this.#budget.unknownFrame();
      return;
    }
    if (id !== 0) throw new h2.ConnectionError(h2.PROTOCOL_ERROR, 'a frame of the connection on a stream');
    if (type === h2.SETTINGS) this.#settings(flags, bytes, start, end);
    else if (type === h2.PING) this.#ping(flags, bytes, start, end);
    else {
      if (end - start < 8) throw new h2.ConnectionError(h2.FRAME_SIZE_ERROR, 'GOAWAY too short');
      this.#isLeft = true;
    }
  }

  /** Ours go out once the peer is known to speak HTTP/2, before anything else (section 3.4). */
  #greet(type: number, flags: number): void {
    if (type !== h2.SETTINGS || (flags & h2.ACK) !== 0)
      throw new h2.ConnectionError(h2.PROTOCOL_ERROR, 'the first frame is not SETTINGS');
    this.#isGreeted = true;
    const { maxStreams, streamWindowBytes, maxHeaderListBytes, connectionWindowBytes } = this.#shared.limits;
    const settings = [
      [MAX_CONCURRENT_STREAMS, maxStreams],
      [INITIAL_WINDOW_SIZE, streamWindowBytes],
      [MAX_HEADER_LIST_SIZE, maxHeaderListBytes],
    ] as const;
    let at = this.#output.frame(6 * settings.length, h2.SETTINGS, 0, 0);
    for (const [key, value] of settings) {
      this.#output.bytes.writeUInt16BE(key, at);
      this.#output.bytes.writeUInt32BE(value, at + 2);
      at += 6;
    }
    if (connectionWindowBytes > h2.FIRST_WINDOW) this.#output.windowUpdate(0, connectionWindowBytes - h2.FIRST_WINDOW);
    this.#window = Math.max(connectionWindowBytes, h2.FIRST_WINDOW);
  }

  #settings(flags: number, bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length % 6 !== 0 || ((flags & h2.ACK) !== 0 && length > 0)) {
      throw new h2.ConnectionError(h2.FRAME_SIZE_ERROR, 'SETTINGS of a wrong length');
    }
    if ((flags & h2.ACK) !== 0) {
      if (this.#isAcknowledged) this.#budget.glitch();
      this.#isAcknowledged = true;
      return;
    }
    this.#budget.settings();
    if (length > MAX_SETTINGS_BYTES) throw new h2.ConnectionError(h2.ENHANCE_YOUR_CALM, 'too many settings');
    // In their order: the last of several wins (section 6.5.3).
    for (let at = start; at < end; at += 6) this.#setting(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2));
    this.#output.frame(0, h2.SETTINGS, h2.ACK, 0);
    // Whatever relies on them comes after the acknowledgement.
    this.#requests.canSend();
  }

  /** Section 6.5.2. What is not known is ignored. */
  #setting(key: number, value: number): void {
    if (key === HEADER_TABLE_SIZE) {
      if (value < DEFAULT_TABLE_BYTES && !this.#hasTableUpdate) {
        this.#hasTableUpdate = true;
        this.#answers.isTableUpdateDue = true;
      }
    } else if (key === ENABLE_PUSH) {
      if (value > 1) throw new h2.ConnectionError(h2.PROTOCOL_ERROR, 'ENABLE_PUSH out of range');
    } else if (key === INITIAL_WINDOW_SIZE) {
      if (value > h2.MAX_WINDOW) throw new h2.ConnectionError(h2.FLOW_CONTROL_ERROR, 'INITIAL_WINDOW_SIZE out of range');
      this.#requests.initialWindow(value);
    } else if (key === MAX_FRAME_SIZE) {
      // Whatever it is, we send no larger frames than everybody takes.
      if (value < h2.MAX_FRAME_BYTES || value > 0xff_ffff)
        throw new h2.ConnectionError(h2.PROTOCOL_ERROR, 'MAX_FRAME_SIZE out of range');
    }
  }

  #ping(flags: number, bytes: Buffer, start: number, end: number): void {
    expectLength(start, end, 8);
    if ((flags & h2.ACK) === 0) {
      this.#budget.ping();
      this.#output.whole(h2.PING, h2.ACK, 0, bytes.subarray(start, end));
    } else if (this.#state === 'draining' && LAST_CALL.equals(bytes.subarray(start, end))) {
      this.#leave();
    }
  }

  #headers(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if ((id & 1) === 0) throw new h2.ConnectionError(h2.PROTOCOL_ERROR, 'not a stream of a client');
    const hasPriority = (flags & h2.HAS_PRIORITY) !== 0;
    const from = start + ((flags & h2.PADDED) !== 0 ? 1 : 0) + (hasPriority ? 5 : 0);
    const to = withoutPadding(flags, bytes, start, from, end);
    if (hasPriority) expectOther(id, bytes, from - 5);
    const ends = (flags & h2.END_STREAM) !== 0;
    if ((flags & h2.END_HEADERS) !== 0) {
      this.#requests.header(id, ends, bytes, from, to);
      return;
    }
    this.#block = new HeaderBlock(id, ends, this.#shared.second, this.#shared.limits);
    this.#block.add(bytes, from, to);
  }

  #continuation(flags: number, bytes: Buffer, start: number, end: number): void {
    const block = this.#block;
    if (!block) throw new h2.ConnectionError(h2.PROTOCOL_ERROR, 'CONTINUATION of nothing');
    block.add(bytes, start, end);
    if ((flags & h2.END_HEADERS) === 0) return;
    this.#block = undefined;
    const whole = block.bytes;
    this.#requests.header(block.id, block.ends, whole, 0, whole.length);
  }

  #data(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    this.#onStream(id);
    const from = (flags & h2.PADDED) !== 0 ? start + 1 : start;
    const to = withoutPadding(flags, bytes, start, from, end);
    // All of the payload counts (section 6.9), and is given back when it has been read: what it fills is bounded for each stream.
    const flow = end - start;
    this.#window -= flow;
    if (this.#window < 0) throw new h2.ConnectionError(h2.FLOW_CONTROL_ERROR, 'more data than the connection has a window for');
    this.#received += flow;
    if (this.#received >= this.#shared.limits.connectionWindowBytes / 2) {
      this.#output.windowUpdate(0, this.#received);
      this.#window += this.#received;
      this.#received = 0;
    }
    this.#requests.data(id, (flags & h2.END_STREAM) !== 0, bytes, from, to, flow);
  }

  #windowUpdate(id: number, bytes: Buffer, start: number, end: number): void {
    if (id !== 0) this.#onStream(id);
    expectLength(start, end, 4);
    const increment = bytes.readUInt32BE(start) & h2.MAX_WINDOW;
    if (increment === 0) throw new h2.ConnectionError(h2.PROTOCOL_ERROR, 'WINDOW_UPDATE of nothing');
    this.#budget.control();
    if (id === 0) this.#requests.connectionWindowUpdate(increment);
    else this.#requests.windowUpdate(id, increment);
  }

  /** A frame that is only for streams that have been opened (section 5.1). */
  #onStream(id: number): void {
    if ((id & 1) === 0 || id > this.#requests.lastId)
      throw new h2.ConnectionError(h2.PROTOCOL_ERROR, 'a frame on an idle stream');
  }

  /** There may be room to send, and it may be too late for something. Does nothing more when it is called again in the same second. */
  #look(): void {
    const { second, limits } = this.#shared;
    if (this.#duplex.writableLength === 0) {
      this.#stuckSince = second;
      if (this.#isPaused) this.#duplex.resume();
      this.#isPaused = false;
    }
    const isLate = !this.#isGreeted && second - this.#since >= limits.handshakeSeconds;
    if (isLate || second - this.#stuckSince >= limits.stallSeconds) {
      this.destroy();
      return;
    }
    const waitsSince = this.#block?.since ?? (this.#reader.isWaiting ? this.#waitsSince : second);
    if (second - waitsSince >= limits.headerSeconds) throw new h2.ConnectionError(h2.PROTOCOL_ERROR, 'a frame that does not end');
    this.#requests.canSend();
    this.#requests.checkTimes();
    if (this.#answers.table.size > 0) this.#idleSince = second;
    if (second - this.#idleSince >= limits.idleSeconds) this.close();
    if (this.#state === 'draining' && second - this.#drainSince >= limits.drainSeconds) this.#leave();
    if (!this.#isGreeted || second - this.#heardSince < limits.pingSeconds * (this.#unanswered + 1)) return;
    if (this.#unanswered++ < MAX_UNANSWERED) this.#output.whole(h2.PING, 0, 0, ARE_YOU_THERE);
    else this.destroy();
  }

  /** New streams are no longer served. */
  #leave(): void {
    this.#state = 'leaving';
    this.#requests.isLeaving = true;
    this.#output.goaway(this.#requests.lastId, h2.NO_ERROR, '');
  }

  #fail(error: unknown): void {
    const { application } = this.#shared;
    const isPeers = error instanceof h2.ConnectionError;
    const code = isPeers ? error.code : h2.INTERNAL_ERROR;
    if (isPeers) application.failed(code, error.message);
    else application.bug(error);
    if (this.#reader.hasPreface) this.#output.goaway(this.#requests.lastId, code, isPeers ? error.message : '');
    this.#end(code);
  }

  /** Nothing is left to be done. */
  #finish(): void {
    if (this.#state === 'over') return;
    if (this.#isGreeted && this.#state !== 'leaving') this.#output.goaway(this.#requests.lastId, h2.NO_ERROR, '');
    this.#end(h2.NO_ERROR);
  }

  /** The last words go out, and for a short time the peer may still talk: a connection with unread input is cut off by the system. */
  #end(code: number): void {
    this.#output.endBurst();
    this.#forgetAll(code);
    this.#duplex.resume();
    this.#duplex.end();
    this.#cancelLinger = this.#shared.timers.after(this.#shared.limits.lingerMs, () => this.destroy());
  }

  #forgetAll(code: number): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#block = undefined;
    try {
      this.#answers.closeAll(code);
    } catch (error) {
      this.#shared.application.bug(error);
    }
  }

  #closed(): void {
    this.#forgetAll(h2.CANCEL);
    this.#cancelLinger?.();
    this.#onClose(this);
  }

  /** Something waits to be written, and nobody is about to. */
  #dirty(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#shared.flushSoon(this);
  }
}

const HEADER_TABLE_SIZE = 1;
const ENABLE_PUSH = 2;
const MAX_CONCURRENT_STREAMS = 3;
const INITIAL_WINDOW_SIZE = 4;
const MAX_FRAME_SIZE = 5;
const MAX_HEADER_LIST_SIZE = 6;
const DEFAULT_TABLE_BYTES = 4_096;
const MAX_UNANSWERED = 2;

function expectLength(start: number, end: number, length: number): void {
  if (end - start !== length) throw new h2.ConnectionError(h2.FRAME_SIZE_ERROR, 'a frame of a wrong length');
}

/** A stream that depends on itself; what else PRIORITY says is not heeded (section 5.3.2). */
function expectOther(id: number, bytes: Buffer, at: number): void {
  if ((bytes.readUInt32BE(at) & MAX_STREAM) === id)
    throw new h2.ConnectionError(h2.PROTOCOL_ERROR, 'a stream that depends on itself');
}

/** Where the payload ends that begins at `from`, the first byte of the frame saying how much padding follows it (sections 6.1, 6.2). */
function withoutPadding(flags: number, bytes: Buffer, start: number, from: number, end: number): number {
  const to = (flags & h2.PADDED) !== 0 ? end - (bytes[start] ?? 0) : end;
  if (from > end) throw new h2.ConnectionError(h2.FRAME_SIZE_ERROR, 'a frame too short for its flags');
  if (to < from) throw new h2.ConnectionError(h2.PROTOCOL_ERROR, 'more padding than payload');
  return to;
}
