import type { Answers } from './answers.ts';
import type { Budget } from './budget.ts';
import * as h2 from './codes.ts';
import type { FrameSink } from './frame-reader.ts';
import { HeaderBlock } from './header-block.ts';
import { type Output, putUint32 } from './output.ts';
import { Requests } from './requests.ts';
import type { Shared } from './shared.ts';

const MAX_SETTINGS = 32;
/** Settings: RFC 9113 section 6.5.2. */
const HEADER_TABLE_SIZE = 1;
const ENABLE_PUSH = 2;
const MAX_CONCURRENT_STREAMS = 3;
const INITIAL_WINDOW_SIZE = 4;
const MAX_FRAME_SIZE = 5;
const MAX_HEADER_LIST_SIZE = 6;
const DEFAULT_TABLE_BYTES = 4_096;

/** What each frame of the peer means, and whether it may come (RFC 9113 section 6). What is about streams goes on to `Requests`. */
export class Frames implements FrameSink {
  /** The peer's SETTINGS have come, and ours have been sent. */
  isGreeted = false;
  /** The peer has said GOAWAY. */
  isLeft = false;
  readonly requests: Requests;
  /** When the last frame came, in ticks. */
  lastAt: number;
  /** A header of which some has come. */
  block: HeaderBlock | undefined;
  readonly #shared: Shared;
  readonly #output: Output;
  readonly #budget: Budget;
  readonly #answers: Answers;
  readonly #connection: { pong(payload: Buffer): void };
  /** The peer has acknowledged our SETTINGS. */
  #isAcknowledged = false;
  /** It has been told, or will be, that we do not use its table. */
  #hasTableUpdate = false;
  /** What the peer may still send, and what it has sent since it was last told. */
  #window: number;
  #received = 0;

  /** `pong` is given what the peer says in answer to a PING. */
  constructor(shared: Shared, output: Output, answers: Answers, connection: { pong(payload: Buffer): void }) {
    this.#shared = shared;
    this.#output = output;
    this.#budget = answers.budget;
    this.#answers = answers;
    this.requests = new Requests(shared, answers);
    this.#connection = connection;
    this.lastAt = shared.second;
    this.#window = Math.max(shared.limits.connectionWindowBytes, h2.FIRST_WINDOW);
  }

  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    this.lastAt = this.#shared.second;
    if (!this.isGreeted) this.#greet(type, flags);
    if (this.block && (type !== h2.CONTINUATION || id !== this.block.id)) {
      h2.fail(h2.PROTOCOL_ERROR, 'another frame inside a header block');
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
        this.requests.resetByPeer(id, bytes.readUInt32BE(start));
        return;
      case h2.WINDOW_UPDATE:
        this.#windowUpdate(id, bytes, start, end);
        return;
      case h2.PRIORITY:
        if (id === 0) h2.fail(h2.PROTOCOL_ERROR, 'PRIORITY on no stream');
        expectLength(start, end, 5);
        expectOther(id, bytes, start);
        this.#budget.control();
        return;
      case h2.PUSH_PROMISE:
        h2.fail(h2.PROTOCOL_ERROR, 'PUSH_PROMISE from a client');
        return;
      default:
        this.#ofConnection(type, flags, id, bytes, start, end);
    }
  }

  #ofConnection(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (type !== h2.SETTINGS && type !== h2.PING && type !== h2.GOAWAY) {
      this.#budget.unknownFrame();
      return;
    }
    if (id !== 0) h2.fail(h2.PROTOCOL_ERROR, 'a frame of the connection on a stream');
    if (type === h2.SETTINGS) {
      this.#settings(flags, bytes, start, end);
    } else if (type === h2.GOAWAY) {
      if (end - start < 8) h2.fail(h2.FRAME_SIZE_ERROR, 'GOAWAY too short');
      this.isLeft = true;
    } else {
      expectLength(start, end, 8);
      const payload = bytes.subarray(start, end);
      if ((flags & h2.ACK) !== 0) {
        this.#connection.pong(payload);
        return;
      }
      this.#budget.ping();
      this.#output.whole(h2.PING, h2.ACK, 0, payload);
    }
  }

  /** Our SETTINGS go out once the peer is known to speak HTTP/2, before anything else (section 3.4). */
  #greet(type: number, flags: number): void {
    if (type !== h2.SETTINGS || (flags & h2.ACK) !== 0) h2.fail(h2.PROTOCOL_ERROR, 'the first frame is not SETTINGS');
    this.isGreeted = true;
    const { maxStreams, streamWindowBytes, maxHeaderListBytes } = this.#shared.limits;
    const settings = [
      [MAX_CONCURRENT_STREAMS, maxStreams],
      [INITIAL_WINDOW_SIZE, streamWindowBytes],
      [MAX_HEADER_LIST_SIZE, maxHeaderListBytes],
    ] as const;
    let at = this.#output.frame(6 * settings.length, h2.SETTINGS, 0, 0);
    for (const [key, value] of settings) {
      this.#output.bytes.writeUInt16BE(key, at);
      putUint32(this.#output.bytes, at + 2, value);
      at += 6;
    }
    if (this.#window > h2.FIRST_WINDOW) this.#output.number(h2.WINDOW_UPDATE, 0, this.#window - h2.FIRST_WINDOW);
  }

  #settings(flags: number, bytes: Buffer, start: number, end: number): void {
    const isAck = (flags & h2.ACK) !== 0;
    if (isAck ? end > start : (end - start) % 6 !== 0) h2.fail(h2.FRAME_SIZE_ERROR, 'SETTINGS of a wrong length');
    if (isAck) {
      if (this.#isAcknowledged) this.#budget.glitch();
      this.#isAcknowledged = true;
      return;
    }
    this.#budget.settings();
    if (end - start > 6 * MAX_SETTINGS) h2.fail(h2.ENHANCE_YOUR_CALM, 'too many settings');
    // In their order: the last of several wins (section 6.5.3).
    for (let at = start; at < end; at += 6) this.#setting(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2));
    this.#output.frame(0, h2.SETTINGS, h2.ACK, 0);
    // Whatever relies on them comes after the acknowledgement.
    this.requests.canSend();
  }

  /** What is not known is ignored. */
  #setting(key: number, value: number): void {
    if (key === HEADER_TABLE_SIZE && value < DEFAULT_TABLE_BYTES) {
      this.#answers.isTableUpdateDue ||= !this.#hasTableUpdate;
      this.#hasTableUpdate = true;
    } else if (key === ENABLE_PUSH && value > 1) {
      h2.fail(h2.PROTOCOL_ERROR, 'ENABLE_PUSH out of range');
    } else if (key === INITIAL_WINDOW_SIZE) {
      if (value > h2.MAX_WINDOW) h2.fail(h2.FLOW_CONTROL_ERROR, 'INITIAL_WINDOW_SIZE out of range');
      this.requests.initialWindow(value);
    } else if (key === MAX_FRAME_SIZE && (value < h2.MAX_FRAME_BYTES || value > 0xff_ffff)) {
      // Whatever it is, we send no larger frames than everybody takes.
      h2.fail(h2.PROTOCOL_ERROR, 'MAX_FRAME_SIZE out of range');
    }
  }

  #headers(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if ((id & 1) === 0) h2.fail(h2.PROTOCOL_ERROR, 'not a stream of a client');
    const hasPriority = (flags & h2.HAS_PRIORITY) !== 0;
    const from = start + ((flags & h2.PADDED) !== 0 ? 1 : 0) + (hasPriority ? 5 : 0);
    const to = withoutPadding(flags, bytes, start, from, end);
    if (hasPriority) expectOther(id, bytes, from - 5);
    const ends = (flags & h2.END_STREAM) !== 0;
    if ((flags & h2.END_HEADERS) !== 0) {
      this.requests.header(id, ends, bytes, from, to);
      return;
    }
    this.block = new HeaderBlock(id, ends, this.#shared.second, this.#shared.limits);
    this.block.add(bytes, from, to);
  }

  #continuation(flags: number, bytes: Buffer, start: number, end: number): void {
    const block = this.block ?? h2.fail(h2.PROTOCOL_ERROR, 'CONTINUATION of nothing');
    block.add(bytes, start, end);
    if ((flags & h2.END_HEADERS) === 0) return;
    this.block = undefined;
    const whole = block.bytes;
    this.requests.header(block.id, block.ends, whole, 0, whole.length);
  }

  #data(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    this.#onStream(id);
    const from = (flags & h2.PADDED) !== 0 ? start + 1 : start;
    const to = withoutPadding(flags, bytes, start, from, end);
    // All of the payload counts (section 6.9), and is given back when it has been read: what it fills is bounded for each stream.
    const flow = end - start;
    this.#window -= flow;
    if (this.#window < 0) h2.fail(h2.FLOW_CONTROL_ERROR, 'more data than the connection has a window for');
    this.#received += flow;
    if (this.#received >= this.#shared.limits.connectionWindowBytes / 2) {
      this.#output.number(h2.WINDOW_UPDATE, 0, this.#received);
      this.#window += this.#received;
      this.#received = 0;
    }
    this.requests.data(id, (flags & h2.END_STREAM) !== 0, bytes, from, to, flow);
  }

  #windowUpdate(id: number, bytes: Buffer, start: number, end: number): void {
    if (id !== 0) this.#onStream(id);
    expectLength(start, end, 4);
    const increment = bytes.readUInt32BE(start) & h2.MAX_WINDOW;
    if (increment === 0) h2.fail(h2.PROTOCOL_ERROR, 'WINDOW_UPDATE of nothing');
    this.#budget.control();
    if (id === 0) this.requests.connectionWindowUpdate(increment);
    else this.requests.windowUpdate(id, increment);
  }

  /** A frame that is only for streams that have been opened (section 5.1). */
  #onStream(id: number): void {
    if ((id & 1) === 0 || id > this.requests.lastId) h2.fail(h2.PROTOCOL_ERROR, 'a frame on an idle stream');
  }
}

function expectLength(start: number, end: number, length: number): void {
  if (end - start !== length) h2.fail(h2.FRAME_SIZE_ERROR, 'a frame of a wrong length');
}

/** A stream that depends on itself; what else PRIORITY says is not heeded (section 5.3.2). */
function expectOther(id: number, bytes: Buffer, at: number): void {
  if ((bytes.readUInt32BE(at) & h2.MAX_STREAM) === id) h2.fail(h2.PROTOCOL_ERROR, 'a stream that depends on itself');
}

/** Where the payload ends that begins at `from`, the first byte of the frame saying how much padding follows it (sections 6.1, 6.2). */
function withoutPadding(flags: number, bytes: Buffer, start: number, from: number, end: number): number {
  if (from > end) h2.fail(h2.FRAME_SIZE_ERROR, 'a frame too short for its flags');
  const to = (flags & h2.PADDED) !== 0 ? end - (bytes[start] ?? 0) : end;
  if (to < from) h2.fail(h2.PROTOCOL_ERROR, 'more padding than payload');
  return to;
}
