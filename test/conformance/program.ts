import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';

/** A process that runs until the end of its scope. For `await using`. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #output = new EventEmitter();
  #hasEnded = false;
  #read = 0;
  /** All lines of standard output so far. */
  readonly lines: string[] = [];
  /** What it has said on standard error. */
  log = '';

  constructor(path: string | undefined, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(path ?? '', args, { env: { ...process.env, ...env }, stdio: 'pipe' });
    this.#exited = once(this.#child, 'exit');
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

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
