import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const EXAMPLES = join(import.meta.dirname, '../../examples');

/** The text of an example with other words in the place of some: what is to be replaced has to be there. */
export function example(file: string, replacements: Readonly<Record<string, string>> = {}): string {
  const text = readFileSync(join(EXAMPLES, file), 'utf8');
  const words = Object.keys(replacements);
  for (const word of words) if (!text.includes(word)) throw new Error(`examples/${file} has no ${word}`);
  if (words.length === 0) return text;
  // All at once, the longest first: what has come in is not replaced again.
  const longestFirst = words.sort((a, b) => b.length - a.length).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return text.replace(new RegExp(longestFirst.join('|'), 'g'), (word) => replacements[word] ?? word);
}

const MOST_TRIES = 20;

/** A folder that goes with its scope. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'beatbridge-program-'));

  /** Where the file is. */
  write(name: string, text: string | Buffer, mode = 0o666): string {
    const path = join(this.path, name);
    writeFileSync(path, text, { mode });
    return path;
  }

  [Symbol.dispose](): void {
    // What a browser leaves behind may still be writing: retries of Node's own wait, and do not look again at what there is.
    for (let tries = 1; existsSync(this.path); tries++)
      try {
        rmSync(this.path, { recursive: true, force: true, maxRetries: 2, retryDelay: 100 });
      } catch (error) {
        if (tries === MOST_TRIES) throw error;
      }
  }
}

/** A process that runs until the end of its scope. For `await using`. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<[number | null, NodeJS.Signals | null]>;
  readonly #output = new EventEmitter();
  #hasEnded = false;
  #read = 0;
  /** All lines of standard output so far. */
  readonly lines: string[] = [];
  /** What it has said on standard error. */
  log = '';

  constructor(path: string | undefined, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(path ?? '', args, { env: { ...process.env, ...env }, stdio: 'pipe' });
    // So Node says how a process has ended.
    this.#exited = once(this.#child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    this.#child.stderr?.on('data', (chunk) => {
      this.log += chunk;
    });
    if (this.#child.stdout === null) throw new Error('a program needs a pipe');
    createInterface({ input: this.#child.stdout })
      .on('line', (line) => {
        this.lines.push(line);
        this.#output.emit('more');
      })
      .once('close', () => {
        this.#hasEnded = true;
        this.#output.emit('more');
      });
  }

  /** The line of standard output after the one that was given last; undefined when there are no more to come. */
  async nextLine(): Promise<string | undefined> {
    while (this.#read === this.lines.length && !this.#hasEnded) await once(this.#output, 'more');
    return this.lines[this.#read++];
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** There is no more to say. */
  endInput(): void {
    this.#child.stdin?.end();
  }

  /** Sends the signal and answers with the exit code, or the name of the signal that ended it. */
  async stop(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    this.#child.kill(signal);
    const [code, by] = await this.#exited;
    return code ?? by;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

/** A loopback port that nobody has just now. */
export async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port to be had');
  return `127.0.0.1:${address.port}`;
}

export function portOf(address: string): string {
  return address.slice(address.lastIndexOf(':') + 1);
}
