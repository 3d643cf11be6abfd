import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** What was asked of a real server, and what it answered: to be answered again in its place. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly form: readonly (readonly [string, string])[];
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export interface Exchanges {
  readonly origin: { readonly server: string; readonly recorded: string; readonly how: string };
  readonly exchanges: readonly Exchange[];
}

export const FOLDER = join(import.meta.dirname, '../fixtures/moving');

export function exchangesOf(name: string): Exchanges {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));
}

/** A server on loopback that answers with `answer`. For `await using`. */
export async function serving(answer: (asked: Asked) => Promise<Answered> | Answered) {
  const respond = async (req: IncomingMessage, res: ServerResponse) => {
    const url = new URL(req.url ?? '', 'http://x');
    let form = '';
    for await (const chunk of req) form += chunk;
    const { status, type, body } = await answer({
      method: req.method ?? '',
      path: url.pathname,
      query: pairs(url.search),
      form: pairs(form),
      headers: req.headers,
    });
    res.writeHead(status, { 'content-type': type }).end(body);
  };
  const server = createServer((req, res) => void respond(req, res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // It listens on a port, not on a pipe.
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type Asked = Pick<Exchange, 'method' | 'path' | 'query' | 'form'> & { readonly headers: IncomingMessage['headers'] };
export type Answered = Pick<Exchange, 'status' | 'type' | 'body'>;

/** Answers each question as it was answered: asked again, with the next answer to it, and at last with the last. */
export function replaying({ exchanges }: Exchanges): (asked: Asked) => Answered {
  const answers = new Map<string, Exchange[]>();
  for (const exchange of exchanges) answers.set(keyOf(exchange), [...(answers.get(keyOf(exchange)) ?? []), exchange]);
  return (asked) => {
    const known = answers.get(keyOf(asked));
    const next = known !== undefined && known.length > 1 ? known.shift() : known?.[0];
    return next ?? { status: 599, type: 'text/plain', body: `never asked: ${keyOf(asked)}` };
  };
}

function keyOf({ method, path, query, form }: Pick<Exchange, 'method' | 'path' | 'query' | 'form'>): string {
  return JSON.stringify([method, path, [...query].sort(), [...form].sort()]);
}

function pairs(text: string): [string, string][] {
  return [...new URLSearchParams(text)];
}
