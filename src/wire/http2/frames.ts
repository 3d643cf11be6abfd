import { CONTROL_FRAMES, ERRORS, PINGS, SETTINGS_FRAMES, UNKNOWN_FRAMES } from './budget.ts';
import * as h2 from './codes.ts';
import { putUint32 } from './output.ts';
import { Requests } from './requests.ts';

/** RFC 9113 section 3.4. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Of frames that are always as long. */
const LENGTHS: Readonly<Record<number, number>> = { [h2.PRIORITY]: 5, [h2.RST_STREAM]: 4, [h2.PING]: 8, [h2.WINDOW_UPDATE]: 4 };
const MAX_SETTINGS = 32;
/** Settings: section 6.5.2. */
const [HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS] = [1, 2, 3];
const [INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE] = [4, 5, 6];
const DEFAULT_TABLE_BYTES = 4_096;

/** A header of which some has come: HEADERS without the rest, and CONTINUATION frames until there is one that ends it. */
interface HeaderBlock {
  readonly id: number;
  readonly ends: boolean;
  readonly since: number;
  readonly parts: Buffer[];
  length: number;
}

/**
 * The fourth layer of a Connection: makes frames of its bytes, however they are cut, and says what each means and whether it may come
 * (RFC 9113 section 6).
 */
export abstract class Frames extends Requests {
  /** The peer speaks HTTP/2; its SETTINGS have come, and ours have been sent; it has said GOAWAY. */
  protected hasPreface = false;
  protected isGreeted = false;
  protected isLeft = false;
  /** There may be whole frames in what was not read, as it was the turn of others. */
  protected isInterrupted = false;
  /** No more frames are taken, not even those of a chunk that it is at. */
  protected isStopped = false;
  /** The beginning of a frame, and when it came. */
  #rest: Buffer | undefined;
  #restSince = 0;
  #block: HeaderBlock | undefined;
  /** The peer has acknowledged our SETTINGS. */
  #isAcknowledged = false;
  /** It has been told, or will be, that we do not use its table. */
  #hasTableUpdate = false;
  /** What the peer may still send, and what it has sent since it was last told. */
  #window = Math.max(this.shared.limits.connectionWindowBytes, h2.FIRST_WINDOW);
  #received = 0;

  /** So much has been done for this peer that what it has sent more waits until others have had their turn. */
  protected abstract readonly isTired: boolean;
  /** The peer has answered a PING: whether there was one to be answered. */
  protected abstract pong(payload: Buffer): boolean;

  /** Since when it waits for the end of a header, or of a frame; undefined when it does not. */
  protected get waitsSince(): number | undefined {
    return this.#block?.since ?? (this.#rest && this.#restSince);
  }

  protected read(chunk: Buffer): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = this.hasPreface ? 0 : this.#readPreface(bytes);
    const first = at;
    this.isInterrupted = false;
    while (this.hasPreface && !this.isStopped && !this.isInterrupted) {
      const end = endOfFrame(bytes, at);
      if (end > bytes.length) break;
      this.#frame(bytes, at, end);
      at = end;
      this.isInterrupted = this.isTired;
    }
    if (!this.#rest || at > first) this.#restSince = this.shared.now;
    this.#rest = at < bytes.length ? Buffer.allocUnsafeSlow(bytes.length - at) : undefined;
    if (this.#rest) bytes.copy(this.#rest, 0, at);
  }

  #readPreface(bytes: Buffer): number {
    const length = Math.min(bytes.length, PREFACE.length);
    if (PREFACE.compare(bytes, 0, length, 0, length) !== 0) h2.fail(h2.PROTOCOL_ERROR, 'not HTTP/2');
    this.hasPreface = length === PREFACE.length;
    return this.hasPreface ? length : 0;
  }

  /** The payload lies in `bytes`, and only for as long as this takes. */
  #frame(bytes: Buffer, at: number, end: number): void {
    const type = bytes[at + 3] ?? 0;
    const flags = bytes[at + 4] ?? 0;
    const id = uint32At(bytes, at + 5) & h2.MAX_31;
    const start = at + h2.FRAME_HEADER_BYTES;
    if (!this.isGreeted) this.#greet(type, flags);
    if (this.#block && (type !== h2.CONTINUATION || id !== this.#block.id))
      h2.fail(h2.PROTOCOL_ERROR, 'another frame inside a header block');
    this.#check(type, id, end - start);
    if (type === h2.DATA) this.#data(flags, id, bytes, start, end);
    else if (type === h2.HEADERS) this.#headers(flags, id, bytes, start, end);
    else if (type === h2.CONTINUATION) this.#continuation(flags, bytes, start, end);
    else if (type === h2.WINDOW_UPDATE) this.#windowUpdate(id, uint32At(bytes, start) & h2.MAX_31);
    else if (type === h2.PING) this.#ping(flags, bytes.subarray(start, end));
    else if (type === h2.RST_STREAM) this.resetByPeer(id, uint32At(bytes, start));
    else if (type === h2.SETTINGS) this.#settings(flags, bytes, start, end);
    else if (type === h2.GOAWAY) this.isLeft = true;
    else if (type === h2.PUSH_PROMISE) h2.fail(h2.PROTOCOL_ERROR, 'PUSH_PROMISE from a client');
    else if (type === h2.PRIORITY) {
      expectOther(id, bytes, start);
      this.budget.spend(CONTROL_FRAMES);
    } else this.budget.spend(UNKNOWN_FRAMES);
  }

  /** Whether a frame may be on that stream (section 5.1), and is as long as it must be. */
  #check(type: number, id: number, length: number): void {
    const isIdle = (id & 1) === 0 || id > this.lastId;
    if (isIdle && (type === h2.DATA || type === h2.RST_STREAM || (type === h2.WINDOW_UPDATE && id !== 0)))
      h2.fail(h2.PROTOCOL_ERROR, 'a frame on an idle stream');
    if (type === h2.HEADERS ? (id & 1) === 0 : type === h2.PRIORITY && id === 0)
      h2.fail(h2.PROTOCOL_ERROR, 'not a stream of a client');
    if (id !== 0 && (type === h2.SETTINGS || type === h2.PING || type === h2.GOAWAY))
      h2.fail(h2.PROTOCOL_ERROR, 'a frame of the connection on a stream');
    if (length !== (LENGTHS[type] ?? length) || (type === h2.GOAWAY && length < 8))
      h2.fail(h2.FRAME_SIZE_ERROR, 'a frame of a wrong length');
  }

  /** Our SETTINGS go out once the peer is known to speak HTTP/2, before anything else (section 3.4). */
  #greet(type: number, flags: number): void {
    if (type !== h2.SETTINGS || (flags & h2.ACK) !== 0) h2.fail(h2.PROTOCOL_ERROR, 'the first frame is not SETTINGS');
    this.isGreeted = true;
    const { limits } = this.shared;
    const settings = [
      [MAX_CONCURRENT_STREAMS, limits.maxStreamsPerConnection],
      [INITIAL_WINDOW_SIZE, limits.streamWindowBytes],
      [MAX_HEADER_LIST_SIZE, limits.maxHeaderBytes],
    ] as const;
    let at = this.output.frame(6 * settings.length, h2.SETTINGS, 0, 0);
    const { bytes } = this.output;
    for (const [key, value] of settings) {
      bytes[at] = 0;
      bytes[at + 1] = key;
      at = putUint32(bytes, at + 2, value);
    }
    if (this.#window > h2.FIRST_WINDOW) this.output.numbers(h2.WINDOW_UPDATE, 0, [this.#window - h2.FIRST_WINDOW]);
  }

  #settings(flags: number, bytes: Buffer, start: number, end: number): void {
    const isAck = (flags & h2.ACK) !== 0;
    if (isAck ? end > start : (end - start) % 6 !== 0) h2.fail(h2.FRAME_SIZE_ERROR, 'SETTINGS of a wrong length');
    if (isAck) {
      if (this.#isAcknowledged) this.budget.spend(ERRORS);
      this.#isAcknowledged = true;
      return;
    }
    this.budget.spend(SETTINGS_FRAMES);
    if (end - start > 6 * MAX_SETTINGS) h2.fail(h2.ENHANCE_YOUR_CALM, 'too many settings');
    // In their order: the last of several wins (section 6.5.3).
    for (let at = start; at < end; at += 6) this.#setting(bytes.readUInt16BE(at), uint32At(bytes, at + 2));
    this.output.frame(0, h2.SETTINGS, h2.ACK, 0);
    this.isServeDue = true;
  }

  /** What is not known is ignored. */
  #setting(key: number, value: number): void {
    if (key === HEADER_TABLE_SIZE && value < DEFAULT_TABLE_BYTES) {
      this.isTableUpdateDue ||= !this.#hasTableUpdate;
      this.#hasTableUpdate = true;
    } else if (key === ENABLE_PUSH && value > 1) {
      h2.fail(h2.PROTOCOL_ERROR, 'ENABLE_PUSH out of range');
    } else if (key === INITIAL_WINDOW_SIZE) {
      // It is that of every stream, those that are open too (section 6.9.2).
      let credit = 0;
      for (const open of this.table.all().values()) credit = Math.max(credit, open.credit);
      if (credit + value > h2.MAX_31) h2.fail(h2.FLOW_CONTROL_ERROR, 'INITIAL_WINDOW_SIZE out of range');
      this.initialWindow = value;
    } else if (key === MAX_FRAME_SIZE && (value < h2.MAX_FRAME_BYTES || value > 0xff_ffff)) {
      // Whatever it is, we send no larger frames than everybody takes.
      h2.fail(h2.PROTOCOL_ERROR, 'MAX_FRAME_SIZE out of range');
    }
  }

  #headers(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const hasPriority = (flags & h2.HAS_PRIORITY) !== 0;
    const from = start + ((flags & h2.PADDED) !== 0 ? 1 : 0) + (hasPriority ? 5 : 0);
    const to = withoutPadding(flags, bytes, start, from, end);
    if (hasPriority) expectOther(id, bytes, from - 5);
    const ends = (flags & h2.END_STREAM) !== 0;
    if ((flags & h2.END_HEADERS) !== 0) {
      this.header(id, ends, bytes, from, to);
      return;
    }
    this.#block = { id, ends, since: this.shared.now, parts: [], length: 0 };
    this.#add(this.#block, bytes, from, to);
  }

  /** Checked before anything is kept, so that frames without an end cost no more than one with it. */
  #add(block: HeaderBlock, bytes: Buffer, start: number, end: number): void {
    const { maxBlockBytes, maxContinuations } = this.shared;
    block.length += end - start;
    if (block.length > maxBlockBytes) h2.fail(h2.ENHANCE_YOUR_CALM, 'header block too large');
    if (block.parts.length > maxContinuations) h2.fail(h2.ENHANCE_YOUR_CALM, 'too many continuations');
    block.parts.push(Buffer.from(bytes.subarray(start, end)));
  }

  #continuation(flags: number, bytes: Buffer, start: number, end: number): void {
    const block = this.#block ?? h2.fail(h2.PROTOCOL_ERROR, 'CONTINUATION of nothing');
    this.#add(block, bytes, start, end);
    if ((flags & h2.END_HEADERS) === 0) return;
    this.#block = undefined;
    this.header(block.id, block.ends, Buffer.concat(block.parts), 0, block.length);
  }

  #data(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const from = (flags & h2.PADDED) !== 0 ? start + 1 : start;
    const to = withoutPadding(flags, bytes, start, from, end);
    // All of the payload counts (section 6.9), and is given back when it has been read: what it fills is bounded for each stream.
    const flow = end - start;
    this.#window -= flow;
    if (this.#window < 0) h2.fail(h2.FLOW_CONTROL_ERROR, 'more data than the connection has a window for');
    this.#received += flow;
    if (this.#received >= this.shared.limits.connectionWindowBytes / 2) {
      this.output.numbers(h2.WINDOW_UPDATE, 0, [this.#received]);
      this.#window += this.#received;
      this.#received = 0;
    }
    this.data(id, (flags & h2.END_STREAM) !== 0, bytes, from, to, flow);
  }

  #windowUpdate(id: number, increment: number): void {
    if (increment === 0) h2.fail(h2.PROTOCOL_ERROR, 'WINDOW_UPDATE of nothing');
    this.budget.spend(CONTROL_FRAMES);
    if (id !== 0) {
      this.grant(id, increment);
      return;
    }
    this.window += increment;
    if (this.window > h2.MAX_31) h2.fail(h2.FLOW_CONTROL_ERROR, 'window too large');
    this.isServeDue = true;
  }

  #ping(flags: number, payload: Buffer): void {
    if ((flags & h2.ACK) !== 0) {
      if (!this.pong(payload)) this.budget.spend(ERRORS);
      return;
    }
    this.budget.spend(PINGS);
    this.output.whole(h2.PING, h2.ACK, 0, payload);
  }
}

/** A stream that depends on itself; what else PRIORITY says is not heeded (section 5.3.2). */
function expectOther(id: number, bytes: Buffer, at: number): void {
  if ((uint32At(bytes, at) & h2.MAX_31) === id) h2.fail(h2.PROTOCOL_ERROR, 'a stream that depends on itself');
}

/** Where the payload ends that begins at `from`, the first byte of the frame saying how much padding follows it (sections 6.1, 6.2). */
function withoutPadding(flags: number, bytes: Buffer, start: number, from: number, end: number): number {
  if (from > end) h2.fail(h2.FRAME_SIZE_ERROR, 'a frame too short for its flags');
  const to = (flags & h2.PADDED) !== 0 ? end - (bytes[start] ?? 0) : end;
  if (to < from) h2.fail(h2.PROTOCOL_ERROR, 'more padding than payload');
  return to;
}

/** Of the frame that begins there (section 4.1); at least where its first nine bytes end, when they have not all come. */
function endOfFrame(bytes: Buffer, at: number): number {
  const start = at + h2.FRAME_HEADER_BYTES;
  if (start > bytes.length) return start;
  const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  if (length > h2.MAX_FRAME_BYTES) h2.fail(h2.FRAME_SIZE_ERROR, 'frame too large');
  return start + length;
}

function uint32At(bytes: Buffer, at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}
