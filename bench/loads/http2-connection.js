/**
 * A connection of HTTP/2 that can make ten thousand calls and costs next to nothing, so that what is measured is its other side. It
 * knows just enough: it reads frames, hands on messages of gRPC and the ends of calls, and decodes no header.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectSecurely, TLSSocket } from 'node:tls';
import { ACK, callHeaders, END_STREAM, FRAME, frame, PREFACE } from './grpc-frames.js';

const HEAD = 9;
const PREFIX = 5;

export class Http2Connection {
  #socket;
  #rest = Buffer.alloc(0);
  #nextStream = 1;
  /** What has come of messages that are not whole yet, by call. */
  #pieces = new Map();
  #failure;
  /** @type {(stream: number, message: Buffer) => void} */
  onMessage = () => {};
  /** @type {(stream: number, error?: Error) => void} a call has ended */
  onEnd = () => {};
  /** @type {(error: Error) => void} the connection has ended and was not to */
  onFailure = (error) => {
    this.#failure = error;
  };

  constructor(socket) {
    this.#socket = socket;
    socket.setNoDelay();
    socket.write(PREFACE);
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', (error) => this.onFailure(error));
    socket.on('close', () => this.onFailure(new Error('the connection has been closed')));
  }

  /** Over TLS nobody looks at the certificate: whoever listens was started here. */
  static async open(port, isSecure = false) {
    const tls = { ALPNProtocols: ['h2'], rejectUnauthorized: false };
    const socket = isSecure ? connectSecurely({ port, host: '127.0.0.1', ...tls }) : connect(port, '127.0.0.1');
    await once(socket, isSecure ? 'secureConnect' : 'connect');
    return new Http2Connection(socket);
  }

  /** Begins a call, which is whole with this message unless there is more to come. Answers its number. */
  call(path, message, { more = false } = {}) {
    if (this.#failure !== undefined) throw this.#failure;
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#socket.write(Buffer.concat([callHeaders(stream, path), frame(FRAME.data, more ? 0 : END_STREAM, stream, message)]));
    return stream;
  }

  /** One more message of a call. */
  say(stream, message) {
    this.#socket.write(frame(FRAME.data, 0, stream, message));
  }

  /** At once, and with no trace in the kernel. */
  close() {
    this.onFailure = () => {};
    if (this.#socket instanceof TLSSocket) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  #read(chunk) {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at + HEAD <= bytes.length) {
      const length = bytes.readUIntBE(at, 3);
      if (at + HEAD + length > bytes.length) break;
      this.#take(bytes[at + 3], bytes[at + 4], bytes.readUInt32BE(at + 5), bytes.subarray(at + HEAD, at + HEAD + length));
      at += HEAD + length;
    }
    this.#rest = bytes.subarray(at);
  }

  #take(type, flags, stream, payload) {
    if (type === FRAME.data) this.#takeData(stream, payload);
    else if (type === FRAME.settings && (flags & ACK) === 0) this.#socket.write(frame(FRAME.settings, ACK, 0));
    else if (type === FRAME.ping && (flags & ACK) === 0) this.#socket.write(frame(FRAME.ping, ACK, 0, payload));
    else if (type === FRAME.reset) this.onEnd(stream, new Error(`the call was reset with ${payload.readUInt32BE(0)}`));
    else if (type === FRAME.goaway) this.onFailure(new Error(`the server goes away with ${payload.readUInt32BE(4)}`));
    if ((type === FRAME.data || type === FRAME.headers) && (flags & END_STREAM) !== 0) this.onEnd(stream);
  }

  #takeData(stream, payload) {
    const piece = this.#pieces.get(stream);
    let bytes = piece === undefined ? payload : Buffer.concat([piece, payload]);
    while (bytes.length >= PREFIX && bytes.length >= PREFIX + bytes.readUInt32BE(1)) {
      const end = PREFIX + bytes.readUInt32BE(1);
      this.onMessage(stream, bytes.subarray(PREFIX, end));
      bytes = bytes.subarray(end);
    }
    if (bytes.length > 0) this.#pieces.set(stream, bytes);
    else if (piece !== undefined) this.#pieces.delete(stream);
  }
}
