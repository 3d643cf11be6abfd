import { MAX_FRAME_BYTES } from './http2/codes.ts';
import { encodeFields, type Fields, Prepared } from './http2/prepared.ts';
import type { Stream } from './http2/stream.ts';
import type { Answer, Head, Trailers } from './lanes.ts';
import type { Cancel, Scheduler } from './scheduler.ts';

export interface Clock {
  readonly scheduler: Scheduler;
  /** Milliseconds since 1970, for the date of answers; without a clock they have none. */
  readonly wallClock?: (() => number) | undefined;
}

/** What answers, and pieces of them, are on the wire. Whatever is said again and again is made once, or once a second if it says the date. */
export class Http2Answers {
  readonly #scheduler: Scheduler;
  readonly #wallClock: (() => number) | undefined;
  #date: string | undefined;
  #cancel: Cancel | undefined;
  #heads = new WeakMap<Head, Uint8Array>();
  #openings = new WeakMap<Head, Prepared>();
  readonly #trailers = new WeakMap<Trailers, Uint8Array>();
  readonly #frames = new WeakMap<Buffer, Prepared>();
  readonly #endings = new WeakMap<Trailers, Prepared>();

  constructor({ scheduler, wallClock }: Clock) {
    this.#scheduler = scheduler;
    this.#wallClock = wallClock;
  }

  /** Whether an answer can be prepared: its body must fit into one frame. */
  static isShort({ body }: Answer): boolean {
    return body === undefined || body.length <= MAX_FRAME_BYTES;
  }

  of(answer: Answer): Prepared {
    const { date } = this;
    const { sent, head, body: data, trailers } = answer;
    if (sent !== undefined && sent.date === date) return sent.prepared;
    const prepared = new Prepared({
      head: this.#headOf(head),
      ...(data !== undefined && { data }),
      ...(trailers !== undefined && { trailers: this.#trailersOf(trailers) }),
    });
    answer.sent = { date, prepared };
    return prepared;
  }

  /** The beginning of an answer that stays open. */
  opening(head: Head): Prepared {
    return kept(this.#openings, head, () => new Prepared({ head: this.#headOf(head), isOpen: true }));
  }

  /** A piece of one. */
  frame(data: Buffer): Prepared {
    return kept(this.#frames, data, () => new Prepared({ data, isOpen: true }));
  }

  /** Its end. */
  ending(trailers: Trailers): Prepared {
    return kept(this.#endings, trailers, () => new Prepared({ trailers: this.#trailersOf(trailers) }));
  }

  /** Says an answer over a stream, which takes a body of any length. */
  write(stream: Stream, { head, body, trailers }: Answer): void {
    this.begin(stream, head);
    if (body !== undefined) stream.write(body);
    stream.end(trailers && Object.entries(trailers));
  }

  begin(stream: Stream, head: Head): void {
    const fields = this.#dated(head).filter(([name]) => name !== ':status');
    stream.respond(Number(head[':status']), fields);
  }

  /** As a field says it (RFC 9110 section 6.6.1); undefined without a clock. */
  get date(): string | undefined {
    return this.#date ?? this.#lookUp();
  }

  close(): void {
    this.#cancel?.();
  }

  #headOf(head: Head): Uint8Array {
    return kept(this.#heads, head, () => encodeFields(this.#dated(head)));
  }

  #trailersOf(trailers: Trailers): Uint8Array {
    return kept(this.#trailers, trailers, () => encodeFields(Object.entries(trailers)));
  }

  #dated(head: Head): Fields {
    const { date } = this;
    const fields = Object.entries(head).map(([name, value]) => [name, String(value)] as const);
    return date === undefined ? fields : [...fields, ['date', date]];
  }

  #lookUp(): string | undefined {
    if (this.#wallClock === undefined) return undefined;
    const now = this.#wallClock();
    this.#cancel = this.#scheduler.after(SECOND_MS - (now % SECOND_MS), () => this.#forgetDate());
    this.#date = new Date(now).toUTCString();
    return this.#date;
  }

  #forgetDate(): void {
    this.#date = undefined;
    this.#heads = new WeakMap();
    this.#openings = new WeakMap();
  }
}

const SECOND_MS = 1_000;

function kept<K extends object, V>(all: WeakMap<K, V>, key: K, make: () => V): V {
  const known = all.get(key);
  if (known !== undefined) return known;
  const made = make();
  all.set(key, made);
  return made;
}
