/**
 * Checks over gRPC, so many at once on each connection, every one with a deadline of its own, in the fields and the order in which
 * clients of Go say it: what such a caller inserts into the table of its connection is another entry each time.
 */
import { connect } from 'node:net';
import { END_HEADERS, END_STREAM, FRAME, frame, healthRequest, PREFACE } from './grpc-frames.js';
import { HeaderTable } from './header-table.js';

const HEAD = 9;
/** Just below five seconds, in microseconds. */
const LONGEST_US = 5_000_000;
const SPREAD_US = 50_000;
const OK_WITHIN_MS = 30_000;
const FIELDS = [
  [':path', '/grpc.health.v1.Health/Check'],
  [':authority', '127.0.0.1'],
  ['content-type', 'application/grpc'],
  ['user-agent', 'bench/1.0'],
  ['te', 'trailers'],
];

export async function checksWithDeadlines({ port, service, connections, streams, seconds }) {
  const message = healthRequest(service);
  const until = performance.now() + seconds * 1_000;
  const callers = Array.from({ length: connections }, () => new Caller(port, message, streams, until));
  const done = (await Promise.all(callers.map((caller) => caller.done))).reduce((sum, count) => sum + count, 0);
  return { done, perSecond: done / seconds };
}

class Caller {
  #socket;
  #table = new HeaderTable();
  #message;
  #until;
  #rest = Buffer.alloc(0);
  #nextStream = 1;
  #open = 0;
  #answered = 0;
  #ended = 0;
  /** How many were answered, once the time is over and none is open. */
  done;

  constructor(port, message, streams, until) {
    this.#message = message;
    this.#until = until;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    this.done = new Promise((resolve, reject) => {
      const late = setTimeout(
        () => socket.destroy(new Error('calls were not answered')),
        until - performance.now() + OK_WITHIN_MS,
      );
      socket.on('error', reject);
      socket.on('close', () => {
        clearTimeout(late);
        if (this.#open > 0) reject(new Error('the connection has ended before its calls'));
        else resolve(this.#answered);
      });
    });
    socket.on('data', (chunk) => this.#read(chunk));
    socket.write(Buffer.concat([PREFACE, ...Array.from({ length: streams }, () => this.#call())]));
  }

  #call() {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#open++;
    const timeout = `${LONGEST_US - Math.floor(Math.random() * SPREAD_US)}u`;
    // POST and http are entries that every table has.
    const block = Buffer.concat([
      Buffer.from([0x83, 0x86]),
      ...FIELDS.map((field) => this.#table.field(field)),
      this.#table.number('grpc-timeout', timeout),
    ]);
    return Buffer.concat([
      frame(FRAME.headers, END_HEADERS, stream, block),
      frame(FRAME.data, END_STREAM, stream, this.#message),
    ]);
  }

  /** Calls as many as were answered, in one write. */
  #read(chunk) {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const said = [];
    let at = 0;
    while (at + HEAD <= bytes.length) {
      const end = at + HEAD + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      this.#take(bytes[at + 3], bytes[at + 4], bytes.subarray(at + HEAD, end), said);
      at = end;
    }
    this.#rest = bytes.subarray(at);
    if (this.#open === 0) this.#socket.resetAndDestroy();
    else if (said.length > 0) this.#socket.write(Buffer.concat(said));
  }

  #take(type, flags, payload, said) {
    if (type === FRAME.reset || type === FRAME.goaway) this.#socket.destroy(new Error('a call was reset'));
    else if (type === FRAME.settings && (flags & END_STREAM) === 0) said.push(frame(FRAME.settings, END_STREAM, 0));
    else if (type === FRAME.ping && (flags & END_STREAM) === 0) said.push(frame(FRAME.ping, END_STREAM, 0, payload));
    else if (type === FRAME.data && payload.length > 0) this.#answered++;
    if (type > FRAME.headers || (flags & END_STREAM) === 0) return;
    this.#open--;
    // Its message comes before its end.
    if (++this.#ended > this.#answered) return this.#socket.destroy(new Error('a call has ended without an answer'));
    if (performance.now() < this.#until) said.push(this.#call());
  }
}
