import { once } from 'node:events';
import { type ClientRequest, get, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { SseReader } from '../../console/src/sse.ts';

/** Hears what a page hears, by the page's own reader, and nothing of its screen. */

export interface Told {
  readonly event: string;
  readonly id: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON has come; the tests say what it has to be.
  readonly data: any;
}

/** A stream of the console's, as it comes in. For `using`. */
export class ConsoleStream implements Disposable {
  readonly told: Told[] = [];
  readonly response: IncomingMessage;
  readonly #request: ClientRequest;
  #hasEnded = false;

  private constructor(request: ClientRequest, response: IncomingMessage) {
    this.#request = request;
    this.response = response;
    const messages = new SseReader();
    response.setEncoding('utf8').on('data', (piece: string) => {
      for (const { event, id, data } of messages.push(piece)) this.told.push({ event, id, data: JSON.parse(data) });
      response.emit('told');
    });
    response.on('error', () => {});
    response.on('close', () => {
      this.#hasEnded = true;
      response.emit('told');
    });
  }

  /** `query`: such as `view=services&search=x`. */
  static async open(main: string, query: string, headers: OutgoingHttpHeaders = {}): Promise<ConsoleStream> {
    const request = get(`http://${main}/console/api/stream?${query}`, { headers, agent: false });
    request.on('error', () => {});
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return new ConsoleStream(request, response);
  }

  /** The first that is told, or has been, that satisfies. */
  async heard(satisfies: (told: Told) => boolean): Promise<Told> {
    for (let next = 0; ; await once(this.response, 'told')) {
      for (; next < this.told.length; next++) {
        const told = this.told[next];
        if (told !== undefined && satisfies(told)) return told;
      }
      if (this.#hasEnded) throw new Error(`the stream has ended: ${JSON.stringify(this.told.at(-1))}`);
    }
  }

  async ended(): Promise<void> {
    while (!this.#hasEnded) await once(this.response, 'told');
  }

  [Symbol.dispose](): void {
    this.#request.destroy();
  }
}
