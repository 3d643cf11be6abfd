import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';
import { Folder, Program } from './program.ts';

/** A site that means ill, and Chromium without a window that shows its page. Every `*.example` is this machine to it. */

const HOSTILE = join(import.meta.dirname, 'clients/browser/hostile.js');
const READY_WITHIN_MS = 60_000;

/** How it is done, and to which path. */
export type Deed = readonly [deed: string, url: string];

export interface Done {
  readonly deed: string;
  readonly url: string;
  /** As far as the page can tell. */
  readonly outcome: string;
}

type Said = { readonly event: string } & Partial<Done>;

export class HostileSite implements AsyncDisposable {
  readonly #server: Server;
  readonly #arrivals = new EventEmitter();
  readonly #said: Said[] = [];
  #waiting: ServerResponse | undefined;
  readonly port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('request', (req, res) => void this.#serve(req, res).catch(() => res.destroy()));
  }

  static async open(): Promise<HostileSite> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    // It listens on a port, not on a pipe.
    return new HostileSite(server, (server.address() as AddressInfo).port);
  }

  /**
   * Shows its page under `origin`, does to `target` what it is told to, and answers what came of it. `ready`: once the page is there.
   * `over`: before it goes, for what no page hears of.
   */
  async act(
    origin: string,
    target: string,
    deeds: readonly Deed[],
    { ready = () => {}, over = async () => {} } = {},
  ): Promise<readonly Done[]> {
    this.#said.length = 0;
    using folder = new Folder();
    const told = encodeURIComponent(JSON.stringify({ home: `http://evil.example:${this.port}`, target, deeds }));
    await using chromium = new Program(inject('tools').chromium.path, [
      '--headless=new',
      '--no-sandbox',
      '--no-first-run',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--no-proxy-server',
      '--host-resolver-rules=MAP *.example 127.0.0.1',
      `--user-data-dir=${folder.path}`,
      `${origin}/page#${told}`,
    ]);
    // Whoever waits for it would wait for ever.
    const late = setTimeout(() => void chromium.stop('SIGKILL'), READY_WITHIN_MS);
    const ended = hasEnded(chromium);
    try {
      await Promise.race([this.#heard(({ event }) => event === 'ready'), ended]);
      ready();
      while (this.#waiting === undefined) await once(this.#arrivals, 'any');
      this.#waiting.end();
      this.#waiting = undefined;
      const lasting = deeds.filter(([deed]) => deed !== 'navigation');
      await Promise.race([this.#heard(() => this.#done.length === lasting.length), ended]);
      await over();
      return this.#done;
    } catch (error) {
      throw new Error(`done so far: ${JSON.stringify(this.#said)}`, { cause: error });
    } finally {
      clearTimeout(late);
      ended.catch(() => {});
      // In its own way: processes of its own that outlive it would still write into the folder.
      await chromium.stop('SIGTERM');
    }
  }

  get #done(): readonly Done[] {
    return this.#said.flatMap(({ event, deed = '', url = '', outcome = '' }) =>
      event === 'done' && deed !== 'navigation' ? [{ deed, url, outcome }] : [],
    );
  }

  async #heard(predicate: (said: Said) => boolean): Promise<void> {
    while (!this.#said.some(predicate)) await once(this.#arrivals, 'any');
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = req.url?.split('?', 1)[0];
    if (path === '/page') res.setHeader('content-type', 'text/html').end(page(await readFile(HOSTILE, 'utf8')));
    else if (path === '/without-referrer')
      res.writeHead(200, { 'content-type': 'text/html', 'referrer-policy': 'no-referrer' }).end(FORM);
    else if (path === '/go') {
      this.#waiting = res.setHeader('access-control-allow-origin', '*');
      this.#arrivals.emit('any');
    } else if (path === '/said') {
      this.#said.push(JSON.parse(await text(req)));
      res.end();
      this.#arrivals.emit('any');
    } else res.writeHead(404).end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

export function page(script: string): string {
  return `<!doctype html><body><script type="module">${script}</script>`;
}

/** Sends itself off, to the address behind the `#`. */
const FORM = `<!doctype html><form method="post"><input name="serviceName" value="evil"><input name="ip" value="10.6.6.6"><input name="port"
value="666"></form><script>document.forms[0].action = decodeURIComponent(location.hash.slice(1))
onload = () => setTimeout(() => document.forms[0].submit())</script>`;

/** Rejects with what it said last. */
async function hasEnded(program: Program): Promise<never> {
  for (let line: string | undefined = ''; line !== undefined; ) line = await program.nextLine();
  throw new Error(`it has ended: ${program.log.slice(-2_000)}`);
}
