/** JSON that has been written already, for answers that are given by the thousand, and for those that are too long for one turn. */
export class Written {
  /** To be sent one after the other. Of one that is short there is one. */
  readonly pieces: readonly string[];
  /** How long they are together, in UTF-8. */
  readonly bytes: number;

  constructor(pieces: readonly string[], bytes: number) {
    this.pieces = pieces;
    this.bytes = bytes;
  }

  /** Of a text in one piece. */
  static of(json: string): Written {
    return new Written([json], Buffer.byteLength(json));
  }

  /** The same with a text of ASCII before it and behind it. */
  between(before: string, behind: string): Written {
    const bytes = before.length + this.bytes + behind.length;
    const [only] = this.pieces;
    return this.pieces.length === 1 && only !== undefined
      ? new Written([before + only + behind], bytes)
      : new Written([before, ...this.pieces, behind], bytes);
  }

  /** All of it. */
  get json(): string {
    const [only] = this.pieces;
    return this.pieces.length === 1 && only !== undefined ? only : this.pieces.join('');
  }
}

/** Texts put together, in pieces that are each written to a socket at once. */
export class Pieces {
  readonly #separator: ',' | '';
  readonly #pieces: string[] = [];
  #piece = '';
  #bytes = 0;

  /** What stands between two texts. */
  constructor(separator: ',' | '' = ',') {
    this.#separator = separator;
  }

  add(text: string): void {
    this.#piece += this.#isEmpty ? text : this.#separator + text;
    if (this.#piece.length >= PIECE_LENGTH) this.#cut();
  }

  /** These, and the others behind them. Nothing is added any more. */
  with(others = new Pieces()): Written {
    const separator = this.#isEmpty || others.#isEmpty ? '' : this.#separator;
    this.#piece += separator;
    this.#cut();
    others.#cut();
    const pieces = [...this.#pieces, ...others.#pieces];
    const bytes = this.#bytes + others.#bytes;
    return new Written(bytes < PIECE_LENGTH ? [pieces.join('')] : pieces, bytes);
  }

  get #isEmpty(): boolean {
    return this.#piece === '' && this.#pieces.length === 0;
  }

  #cut(): void {
    if (this.#piece === '') return;
    // This also makes one flat text of the piece.
    this.#bytes += Buffer.byteLength(this.#piece);
    this.#pieces.push(this.#piece);
    this.#piece = '';
  }
}

/** Some hundred hosts: writing one takes a fraction of a millisecond. */
const PIECE_LENGTH = 65_536;
