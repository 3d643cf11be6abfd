import { ConnectError } from '@connectrpc/connect';
import { CANCELED, CallCounts, type MethodCounts } from '../../wire/call-counts.ts';
import type { Peer } from '../../wire/exchange.ts';
import type { HeldBodies, HeldBody } from '../../wire/held-bodies.ts';
import type {
  Answer,
  Call,
  CallLane,
  CallRoute,
  Duplex,
  DuplexListener,
  DuplexRoute,
  Head,
  Reply,
  Trailers,
} from '../../wire/lanes.ts';
import * as mark from '../../wire/marks.ts';
import type { OpenAnswers } from '../../wire/open-answers.ts';
import { Rounds } from '../../wire/rounds.ts';
import type { Scheduler } from '../../wire/scheduler.ts';
import { FrameReader, frameOf, framesOf, plainSaid, readSaid, soleMessage } from './frames.ts';
import type { Message, Said } from './messages.ts';
import { Stream, type StreamRoom } from './stream.ts';

/**
 * The protocol as nearly every client speaks it, protobuf over gRPC with nothing compressed, by a short way: whole requests in, frames
 * out. To a caller it is the same as Connect's, which is given whatever is odd in any way.
 */
export function nacosLane(room: LaneRoom): CallLane {
  const heads = new Heads(room.compressions);
  const { calls = new CallCounts() } = room;
  const asked = calls.of('Request', 'request', 'unary');
  const streamed = calls.of('BiRequestStream', 'requestBiStream', 'bidi_stream');
  const streams = new Set<LaneStream>();
  const pumps = new Rounds<LaneStream>(room.scheduler, WRITES_A_ROUND, (stream) => stream.pump());
  room.shutdown.addEventListener('abort', () => {
    for (const stream of streams) stream.wake();
  });
  const questions: CallRoute = {
    maxBodyBytes: MAX_QUESTION_BYTES,
    // A deadline means nothing to who answers at once.
    mayWait: () => true,
    serve: (call, body, reply) => serve(room, { head: heads.of(call), counts: asked }, body, reply),
  };
  const connections: DuplexRoute = {
    open(call, sink) {
      const stream = new LaneStream(room, { head: heads.of(call), sink, pumps, counts: streamed }, () => streams.delete(stream));
      streams.add(stream);
      return stream;
    },
  };
  return {
    routeOf(call) {
      if (call.path === '/Request/request') return isPlain(call) ? questions : undefined;
      if (call.path !== '/BiRequestStream/requestBiStream' || (call.marks & DEADLINE) !== 0) return undefined;
      return isPlain(call) ? connections : undefined;
    },
  };
}

export interface LaneRoom extends StreamRoom {
  readonly answerTo: (said: Said, peer: Peer) => Message | Promise<Message>;
  readonly scheduler: Scheduler;
  /** Larger messages over a stream are refused. */
  readonly maxStreamMessageBytes: number;
  readonly bodies: HeldBodies;
  /** What Connect knows to compress with, by name. */
  readonly compressions: readonly string[];
  readonly openAnswers: OpenAnswers;
  /** Where calls are counted; nowhere when left out. */
  readonly calls?: CallCounts | undefined;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Aborted with the error that streams are to end with. */
  readonly shutdown: AbortSignal;
}

/** What is longer comes rarely, and has much else to cost it. */
const MAX_QUESTION_BYTES = 256 << 10;
/** To each its own write to a socket, which takes much longer than all the rest. */
const WRITES_A_ROUND = 64;

/** Whether the call is as nearly all are. */
function isPlain(call: Call): boolean {
  if ((call.marks & TELLING) !== PLAIN) return false;
  if ((call.marks & WITH_VALUES) === 0) return true;
  const encoding = call.field('grpc-encoding');
  const timeout = call.field('grpc-timeout');
  return (encoding === undefined || encoding === 'identity') && (timeout === undefined || TIMEOUT.test(timeout));
}

const PLAIN = mark.POST | mark.GRPC_TYPE;
/** A browser's, one that a proxy has handed on, and one that asks before it sends its body are not. */
const TELLING = PLAIN | mark.JSON_TYPE | mark.OTHER_TYPE | mark.BROWSER | mark.HANDED_ON | mark.EXPECT;
const WITH_VALUES = mark.GRPC_ENCODING | mark.GRPC_TIMEOUT;
/** Of a stream that is to end by itself, as none of a client's is. */
const DEADLINE = mark.GRPC_TIMEOUT | mark.DUBBO_TIMEOUT;

/** An answer is never late; what cannot be read as a time is refused by Connect. */
const TIMEOUT = /^\d{1,8}[HMSmun]$/;

/** How answers begin: as Connect does it, one compression is named that the caller takes, though nothing is compressed. */
class Heads {
  readonly #compressions: readonly string[];
  readonly #known = new Map<string, Head>();

  constructor(compressions: readonly string[]) {
    this.#compressions = compressions;
  }

  of(call: Call): Head {
    const accepted = (call.marks & mark.GRPC_ACCEPT_ENCODING) === 0 ? undefined : call.field('grpc-accept-encoding');
    if (accepted === undefined) return PLAIN_HEAD;
    const known = this.#known.get(accepted);
    if (known !== undefined) return known;
    const names = accepted.split(',').map((name) => name.trim());
    const name = names.find((each) => this.#compressions.includes(each));
    const head = name === undefined ? PLAIN_HEAD : { ...PLAIN_HEAD, 'grpc-encoding': name };
    // There are few libraries, and each has its spelling. Of more than these each is read anew.
    if (this.#known.size < MAX_SPELLINGS && accepted.length <= MAX_SPELLING) this.#known.set(accepted, head);
    return head;
  }
}

const PLAIN_HEAD: Head = { ':status': 200, 'content-type': 'application/grpc+proto' };
const MAX_SPELLINGS = 32;
const MAX_SPELLING = 64;

const SUCCESS: Trailers = { 'grpc-status': '0' };
const TOO_MUCH: Trailers = { 'grpc-message': encodeURIComponent('too much is on its way that is not whole'), 'grpc-status': '8' };
const BUG: Trailers = { 'grpc-message': 'internal%20error', 'grpc-status': '13' };

interface Question {
  readonly head: Head;
  readonly counts: MethodCounts;
}

/** False: it is not as questions are, and nothing has been done. */
function serve({ answerTo, openAnswers, log, now }: LaneRoom, question: Question, body: Buffer, reply: Reply): boolean {
  const { head, counts } = question;
  const began = now();
  const message = soleMessage(body);
  const said = message && plainSaid(message);
  if (said === undefined) return false;
  const answerOf = (given: Message): Answer => ({ head, body: frameOf(given), trailers: SUCCESS });
  const failed = (err: unknown): Answer => {
    log.error({ err, method: 'request' }, 'call failed');
    return { head, body: undefined, trailers: BUG };
  };
  counts.started++;
  try {
    const given = answerTo(said, reply.peer());
    if (given instanceof Promise) {
      openAnswers.begin();
      reply.sendLater(
        given
          .then(answerOf)
          .catch(failed)
          .then((answer) => ended(question, answer, now() - began))
          .finally(() => openAnswers.end()),
      );
    } else {
      reply.send(ended(question, answerOf(given), now() - began));
    }
  } catch (error) {
    reply.send(ended(question, failed(error), now() - began));
  }
  return true;
}

function ended({ counts }: Question, answer: Answer, ms: number): Answer {
  counts.ended(Number(answer.trailers?.['grpc-status']), ms);
  return answer;
}

/** Where a stream's messages go, and when. */
interface Outlet {
  readonly head: Head;
  readonly sink: Duplex;
  readonly pumps: Rounds<LaneStream>;
  readonly counts: MethodCounts;
}

/** A stream over which whatever has come together is written at once, and nothing more until that has left. */
class LaneStream implements DuplexListener {
  readonly #room: LaneRoom;
  readonly #outlet: Outlet;
  readonly #stream: Stream;
  readonly #reader: FrameReader;
  readonly #held: HeldBody;
  readonly #take = (message: Buffer): void => {
    const said = readSaid(message);
    if (said === undefined) this.#isBroken = true;
    else if (!this.#isBroken) this.#stream.read(said);
  };
  readonly #onClose: () => void;
  #isBroken = false;
  #isWriting = false;
  /** What it ends with. */
  #last = SUCCESS;
  readonly #began: number;
  #code = CANCELED;

  constructor(room: LaneRoom, outlet: Outlet, onClose: () => void) {
    this.#room = room;
    this.#outlet = outlet;
    this.#reader = new FrameReader(room.maxStreamMessageBytes);
    this.#held = room.bodies.of(outlet.sink.peer(), () => this.#refuse(), MOST_HALF_READ * room.maxStreamMessageBytes);
    this.#stream = new Stream(room, outlet.sink.peer(), () => this.wake());
    this.#onClose = onClose;
    room.openAnswers.begin();
    this.#began = room.now();
    outlet.counts.started++;
    if (room.shutdown.aborted) this.wake();
  }

  /** There is something to be written, or never will be again. */
  wake(): void {
    if (!this.#isWriting) this.#outlet.pumps.add(this);
  }

  pump(): void {
    if (this.#isWriting) return;
    try {
      this.#write();
    } catch (err) {
      this.#room.log.error({ err }, 'nacos stream failed');
      this.#outlet.sink.peer().cut();
    }
  }

  #write(): void {
    const { head, sink } = this.#outlet;
    const frames: Buffer[] = [];
    let bytes = 0;
    for (let next = this.#stream.take(); next !== undefined; next = bytes < WRITE_BYTES ? this.#stream.take() : undefined)
      for (const piece of framesOf(next)) {
        frames.push(piece);
        bytes += piece.length;
      }
    if (frames.length > 0) {
      this.#isWriting = true;
      sink.write(head, frames);
      return;
    }
    const { shutdown } = this.#room;
    // Unavailable when the server goes.
    const trailers = shutdown.aborted ? trailersOf(shutdown.reason) : this.#stream.isOver ? this.#last : undefined;
    if (trailers === undefined) return;
    this.#code = Number(trailers['grpc-status']);
    sink.end(head, trailers);
  }

  written(): void {
    this.#isWriting = false;
    this.wake();
  }

  read(chunk: Buffer): void {
    if (this.#isBroken) return;
    if (!this.#reader.push(chunk, this.#take)) this.#isBroken = true;
    else if (!this.#held.hold(this.#reader.heldBytes)) this.#refuse();
    if (this.#isBroken) this.#stream.finish('refused');
  }

  /** What has come of its message may not be held. */
  #refuse(): void {
    this.#isBroken = true;
    this.#last = TOO_MUCH;
    this.#reader.drop();
    this.#stream.finish('refused');
  }

  ended(): void {
    this.#stream.finish(this.#isBroken || this.#reader.isHalfway ? 'reset' : 'closed');
  }

  closed(): void {
    this.#held.hold(0);
    this.#stream.finish('reset');
    this.#room.openAnswers.end();
    this.#outlet.counts.ended(this.#code, this.#room.now() - this.#began);
    this.#onClose();
  }
}

/** Of messages that have begun, over all streams of a connection: a client has one of these. */
const MOST_HALF_READ = 4;
/** More than that goes out in another write, and says what is true by then. */
const WRITE_BYTES = 64 << 10;

function trailersOf(reason: unknown): Trailers {
  const { code, rawMessage } = ConnectError.from(reason);
  return { 'grpc-message': encodeURIComponent(rawMessage), 'grpc-status': String(code) };
}
