import { createHash, X509Certificate } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { Folder, Program } from './program.ts';

/** Chromium without a window, and the server of the page that it shows. For `await using`. */

const ROOT = join(import.meta.dirname, '../..');
const PAGE = join(import.meta.dirname, 'clients/browser/page.js');
const HEALTH = join(ROOT, 'dist/gen/grpc/health/v1/health_pb.js');
const SCRIPT = { 'content-type': 'text/javascript' };
/** What the page and its modules import by name. */
const IMPORTED = [
  '@bufbuild/protobuf',
  '@bufbuild/protobuf/codegenv2',
  '@bufbuild/protobuf/reflect',
  '@bufbuild/protobuf/wire',
  '@bufbuild/protobuf/wkt',
  '@connectrpc/connect',
  '@connectrpc/connect/protocol',
  '@connectrpc/connect/protocol-grpc-web',
];

const READY_WITHIN_MS = 60_000;

export type Said = Readonly<Record<string, unknown>>;

export class Browser implements AsyncDisposable {
  readonly #pages: Server;
  readonly #folder = new Folder();
  readonly #commands: object[] = [];
  readonly #arrivals = new EventEmitter().setMaxListeners(0);
  readonly events: Said[] = [];
  #waiting: ServerResponse | undefined;
  #chromium: Program | undefined;
  #lastId = 0;

  private constructor() {
    this.#pages = createServer((req, res) => void this.#serve(req, res).catch(() => res.destroy()));
  }

  /**
   * Shows the page, which comes from that port of 127.0.0.1, and waits until it is ready to call the bridge. Of certificates, that one is
   * trusted and no other.
   */
  static async open(bridge: string, certificate: Buffer, port: number): Promise<Browser> {
    const browser = new Browser();
    browser.#pages.listen(port, '127.0.0.1');
    await once(browser.#pages, 'listening');
    const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
    browser.#chromium = new Program(inject('tools').chromium.path, [
      '--headless=new',
      '--no-sandbox',
      '--no-first-run',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      `--user-data-dir=${browser.#folder.path}`,
      `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`,
      `http://127.0.0.1:${port}/?bridge=${encodeURIComponent(bridge)}`,
    ]);
    const ended = hasEnded(browser.#chromium);
    // Whoever waits for it would leave it behind.
    const late = setTimeout(() => void browser.#chromium?.stop('SIGKILL'), READY_WITHIN_MS);
    try {
      await Promise.race([browser.heard(({ event }) => event === 'ready'), ended]);
    } catch (error) {
      await browser[Symbol.asyncDispose]();
      throw error;
    } finally {
      clearTimeout(late);
    }
    // Once it is ready its end is no failure.
    ended.catch(() => {});
    return browser;
  }

  /** What the page answers; rejects with the code of the error. */
  async call(op: string, params: object = {}): Promise<unknown> {
    const id = ++this.#lastId;
    this.#commands.push({ id, op, ...params });
    this.#handOut();
    const { error, result } = await this.heard((said) => said.id === id);
    if (error !== undefined) throw new Error(String(error));
    return result;
  }

  /** The first that it has said, or will say, that satisfies the predicate. */
  async heard(predicate: (said: Said) => boolean): Promise<Said> {
    for (let next = 0; ; await once(this.#arrivals, 'said'))
      for (; next < this.events.length; next++) {
        const said = this.events[next];
        if (said !== undefined && predicate(said)) return said;
      }
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = req.url?.split('?', 1)[0] ?? '';
    if (path === '/') res.setHeader('content-type', 'text/html').end(html());
    else if (path === '/page.js') res.writeHead(200, SCRIPT).end(await readFile(PAGE));
    else if (path === '/health_pb.js') res.writeHead(200, SCRIPT).end(await readFile(HEALTH));
    else if (path.startsWith('/node_modules/')) res.writeHead(200, SCRIPT).end(await readFile(join(ROOT, path)));
    else if (path === '/command') {
      this.#waiting = res;
      this.#handOut();
    } else if (path === '/said') {
      this.events.push(JSON.parse(await text(req)));
      this.#arrivals.emit('said');
      res.end();
    } else res.writeHead(404).end();
  }

  #handOut(): void {
    if (this.#waiting === undefined || this.#commands.length === 0) return;
    this.#waiting.end(JSON.stringify(this.#commands.shift()));
    this.#waiting = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chromium?.[Symbol.asyncDispose]();
    const closed = once(this.#pages, 'close');
    this.#pages.close();
    this.#pages.closeAllConnections();
    await closed;
    this.#folder[Symbol.dispose]();
  }
}

/** Rejects with what it said last. */
async function hasEnded(program: Program): Promise<never> {
  for (let line: string | undefined = ''; line !== undefined; ) line = await program.nextLine();
  throw new Error(`it has ended: ${program.log.slice(-2_000)}`);
}

function html(): string {
  const imports = IMPORTED.map((name) => [name, `/${relative(ROOT, fileURLToPath(import.meta.resolve(name)))}`]);
  const map = JSON.stringify({ imports: Object.fromEntries(imports) });
  return `<!doctype html><script type="importmap">${map}</script><script type="module" src="/page.js"></script>`;
}
