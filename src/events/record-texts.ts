import type { EventRecord } from './record.ts';
import { viewOf } from './view.ts';

/** A record as it is written to readers of events. Nobody may change its bytes: they are everybody's. */
export interface RecordText {
  /** As a server-sent event. */
  readonly event: Buffer;
  /** As a line of JSON: a part of the same bytes. */
  readonly line: Buffer;
}

/**
 * The texts of records, each made once for all who read it at about the same time: what happens is told to everybody who follows, and of
 * very many instances a text is long. Those used last are kept, and of these no more than a few megabytes.
 */
export class RecordTexts {
  readonly #texts = new Map<EventRecord, RecordText>();
  #bytes = 0;

  /** How much is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  of(record: EventRecord): RecordText {
    const known = this.#texts.get(record);
    this.#drop(record);
    const text = known ?? textOf(record);
    this.#texts.set(record, text);
    this.#bytes += text.event.length;
    for (const [oldest] of this.#texts) {
      if (this.#texts.size <= MOST_KEPT && this.#bytes <= MOST_BYTES) break;
      this.#drop(oldest);
    }
    return text;
  }

  #drop(record: EventRecord): void {
    const text = this.#texts.get(record);
    if (text === undefined) return;
    this.#texts.delete(record);
    this.#bytes -= text.event.length;
  }
}

const MOST_KEPT = 200;
const MOST_BYTES = 4 << 20;

function textOf(record: EventRecord): RecordText {
  const head = `id: ${record.seq}\ndata: `;
  const event = Buffer.from(`${head}${JSON.stringify(viewOf(record))}\n\n`);
  return { event, line: event.subarray(head.length, -1) };
}
