import { ENHANCE_YOUR_CALM, fail } from './codes.ts';
import type { Http2Limits } from './limits.ts';

/** A header of which some has come: HEADERS without the rest, and CONTINUATION frames until there is one that ends it. */
export class HeaderBlock {
  readonly id: number;
  readonly ends: boolean;
  /** When it began, in ticks. */
  readonly since: number;
  readonly #limits: Http2Limits;
  readonly #parts: Buffer[] = [];
  #length = 0;

  constructor(id: number, ends: boolean, since: number, limits: Http2Limits) {
    this.id = id;
    this.ends = ends;
    this.since = since;
    this.#limits = limits;
  }

  /** Checked before anything is kept, so that frames without an end cost no more than one with it. */
  add(bytes: Buffer, start: number, end: number): void {
    this.#length += end - start;
    if (this.#length > this.#limits.maxHeaderBlockBytes) fail(ENHANCE_YOUR_CALM, 'header block too large');
    if (this.#parts.length > this.#limits.maxContinuations) fail(ENHANCE_YOUR_CALM, 'too many continuations');
    this.#parts.push(Buffer.from(bytes.subarray(start, end)));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
