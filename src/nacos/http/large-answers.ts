import { originOf } from '../../wire/addresses.ts';
import { ipOf, isHttp2, type Response } from '../../wire/exchange.ts';
import { RequestError } from '../errors.ts';

/**
 * What is kept of answers until their callers have read them: bounded for each address, and in all. A caller that does not read is
 * ended after a while; until then others are refused what is large, and nothing else.
 */
export class LargeAnswers {
  readonly #limits: LargeAnswersLimits;
  readonly #ofPeer = new Map<string, number>();
  #bytes = 0;

  constructor(limits: LargeAnswersLimits) {
    this.#limits = limits;
  }

  /** What all of them take now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** An answer with so many bytes of its own is about to be given. Refused when that is too much beside what there is. */
  admit(res: Response, bytes: number): void {
    if (bytes < LARGE_BYTES || res.destroyed) return;
    const { maxAnswerBytes, maxAnswerBytesInAll } = this.#limits;
    const ip = originOf(ipOf(res.req));
    const ofPeer = this.#ofPeer.get(ip) ?? 0;
    // One may be as large as it likes: it could never be had else.
    if (ofPeer > 0 && ofPeer + bytes > maxAnswerBytes) throw tooMuch(`${maxAnswerBytes} bytes of answers to one address`);
    if (this.#bytes > 0 && this.#bytes + bytes > maxAnswerBytesInAll) throw tooMuch(`${maxAnswerBytesInAll} bytes of answers`);
    this.#count(ip, bytes);
    res.once('close', () => whenTaken(res, () => this.#count(ip, -bytes)));
  }

  #count(ip: string, bytes: number): void {
    this.#bytes += bytes;
    const ofPeer = (this.#ofPeer.get(ip) ?? 0) + bytes;
    if (ofPeer > 0) this.#ofPeer.set(ip, ofPeer);
    else this.#ofPeer.delete(ip);
  }
}

export interface LargeAnswersLimits {
  /** To one address. */
  readonly maxAnswerBytes: number;
  readonly maxAnswerBytesInAll: number;
}

/** Node takes an answer of HTTP/1.1 for closed while the system has yet to take all of it but the beginning. */
function whenTaken({ req }: Response, run: () => void): void {
  const { socket } = req;
  if (isHttp2(req) || socket.writableLength === 0) run();
  // Nothing, behind all that waits; or the end of the connection.
  else socket.write('', run);
}

/** What is shorter is not counted: a socket takes it at once. */
const LARGE_BYTES = 64 << 10;

function tooMuch(what: string): RequestError {
  return new RequestError('too-many', `more than ${what} are not read yet: ask again later, or for less`);
}
