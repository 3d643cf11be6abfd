/**
 * How much has come of the message of a stream that is not whole yet, with the five bytes before it: gRPC and Connect frame alike. It
 * keeps nothing of what it is shown.
 */
export class HalfRead {
  /** Of a message: what has come, and what is known of how much there is to come. */
  #bytes = 0;
  #length = 0;

  push(chunk: Uint8Array): number {
    for (let at = 0; at < chunk.length; ) {
      if (this.#bytes < HEAD_BYTES) {
        // The first byte says whether it is compressed.
        if (this.#bytes > 0) this.#length = this.#length * 256 + (chunk[at] ?? 0);
        this.#bytes++;
        at++;
      } else {
        const taken = Math.min(chunk.length - at, HEAD_BYTES + this.#length - this.#bytes);
        this.#bytes += taken;
        at += taken;
      }
      if (this.#bytes < HEAD_BYTES || this.#bytes < HEAD_BYTES + this.#length) continue;
      this.#bytes = 0;
      this.#length = 0;
    }
    return this.#bytes;
  }
}

const HEAD_BYTES = 5;
