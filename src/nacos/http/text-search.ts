import type { Paused } from '../turns.ts';

/**
 * Whether a part stands in very long texts, a piece of a text at a time, and in a time that only their lengths decide: what engines do
 * to find a long part takes a multiple of that, up to its length, where a caller makes both up.
 */
export class TextSearch {
  readonly #part: string;
  readonly #codes: Uint16Array;
  /** How far the beginning of the part is repeated at the end of each beginning of it; undefined where it is too short to be abused. */
  readonly #borders: Int32Array | undefined;
  /** Characters looked at since the last pause. */
  #looked = 0;

  constructor(part: string) {
    this.#part = part;
    this.#codes = Uint16Array.from({ length: part.length }, (_, i) => part.charCodeAt(i));
    this.#borders = part.length > SHORT ? bordersOf(this.#codes) : undefined;
  }

  *isIn(text: string): Paused<boolean> {
    if (text.length < this.#part.length) return false;
    const isInPiece = this.#borders === undefined ? this.#finder() : this.#matcher(this.#borders);
    for (let start = 0; start < text.length; start += AT_A_TIME) {
      if (this.#looked >= AT_A_TIME) {
        yield;
        this.#looked = 0;
      }
      const end = Math.min(start + AT_A_TIME, text.length);
      this.#looked += end - start;
      if (isInPiece(text, start, end)) return true;
    }
    return false;
  }

  #finder(): (text: string, start: number, end: number) => boolean {
    const part = this.#part;
    // Each piece with so much of the next that none is overlooked that lies in both.
    return (text, start, end) => text.slice(start, end + part.length - 1).includes(part);
  }

  /** Goes on where the last piece has ended. */
  #matcher(borders: Int32Array): (text: string, start: number, end: number) => boolean {
    const codes = this.#codes;
    let matched = 0;
    return (text, start, end) => {
      for (let i = start; i < end; i++) {
        const code = text.charCodeAt(i);
        while (matched > 0 && codes[matched] !== code) matched = borders[matched - 1] ?? 0;
        if (codes[matched] === code) matched++;
        if (matched === codes.length) return true;
      }
      return false;
    };
  }
}

/** As Knuth, Morris and Pratt have it. */
function bordersOf(codes: Uint16Array): Int32Array {
  const borders = new Int32Array(codes.length);
  for (let i = 1, length = 0; i < codes.length; i++) {
    while (length > 0 && codes[i] !== codes[length]) length = borders[length - 1] ?? 0;
    if (codes[i] === codes[length]) length++;
    borders[i] = length;
  }
  return borders;
}

/** Of so many characters nothing costs more than a few times the length of the text. */
const SHORT = 16;
/** To look at so many takes a millisecond at most. */
const AT_A_TIME = 128 << 10;
