import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What was asked of a receiver. */
export interface Posted {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How it answers the next one: the status alone, or as it likes. */
export type Answering = number | ((res: ServerResponse, posted: Posted) => void);

/** A receiver of webhooks on this machine, which answers as it is told. For `await using`. */
export class WebhookReceiver implements AsyncDisposable {
  readonly posted: Posted[] = [];
  /** By turns, and then the last one for ever. */
  #answers: readonly Answering[];
  readonly #server = createServer((req, res) => {
    let body = '';
    req.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    req.on('end', () => {
      const posted = { path: req.url ?? '', headers: req.headers, body };
      this.posted.push(posted);
      const [answer = 200, ...others] = this.#answers;
      if (others.length > 0) this.#answers = others;
      if (typeof answer === 'number') res.writeHead(answer).end();
      else answer(res, posted);
      this.#heard();
    });
  });
  #heard: () => void = () => {};
  #connections = 0;

  private constructor(answers: readonly Answering[]) {
    this.#answers = answers;
  }

  static async open(answers: readonly Answering[] = [200], port = 0): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver(answers);
    // Whoever is connected goes on its own.
    receiver.#server.keepAliveTimeout = 0;
    receiver.#server.on('connection', (socket) => {
      receiver.#connections++;
      socket.on('close', () => void receiver.#connections--);
    });
    receiver.#server.listen(port, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How many are open. */
  get connections(): number {
    return this.#connections;
  }

  answer(...answers: readonly Answering[]): void {
    this.#answers = answers;
  }

  /** Resolves when it has been asked so often. */
  async hears(count: number): Promise<void> {
    while (this.posted.length < count)
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
  }

  /** The numbers of the events that it was told with an answer of 200, each once, in their order; of our own JSON. */
  static seqsOf(posted: readonly Posted[]): readonly number[] {
    return posted.flatMap(({ body }) =>
      (JSON.parse(body) as { events: readonly { seq: number }[] }).events.map(({ seq }) => seq),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
