import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** An instance as every driver prints it, whatever its client calls the parts. */
export interface SeenInstance {
  readonly ip: string;
  readonly port: number;
  readonly cluster: string;
  readonly weight: number;
  readonly healthy: boolean;
  readonly enabled: boolean | null;
  readonly ephemeral: boolean | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Change {
  readonly event: 'change';
  readonly service: string;
  readonly instances: readonly SeenInstance[];
}

/** Longer than the longest pause between two polls of a client in good health. */
const TOLD_WITHIN_MS = 60_000;

/**
 * A process around a real Nacos client, steered by JSON lines: a command is `{id, op, …}` and its answer `{id, ok, result | error}`;
 * what happens by itself comes as `{event, …}`. For `await using`.
 */
export class Driver implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #answers = new EventEmitter();
  readonly #arrivals = new EventEmitter();
  readonly events: Readonly<Record<string, unknown>>[] = [];
  #lastId = 0;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#arrivals.setMaxListeners(0);
    if (child.stdout === null) throw new Error('a driver needs a pipe');
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line: Record<string, unknown> = JSON.parse(text);
      if (line.id !== undefined) {
        this.#answers.emit(String(line.id), line);
      } else {
        this.events.push(line);
        this.#arrivals.emit('event');
      }
    });
  }

  /** Starts the program and waits until its client is ready. */
  static async start(command: readonly string[], server: string, ...args: readonly string[]): Promise<Driver> {
    const folder = mkdtempSync(join(tmpdir(), 'beatbridge-driver-'));
    const [program = '', ...rest] = command;
    const child = spawn(program, [...rest, '--server', server, '--tmp', folder, ...args], { stdio: ['pipe', 'pipe', 'ignore'] });
    const driver = new Driver(child, folder);
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${program} ended with ${code} before it was ready`);
    });
    // Once it is ready its end is no failure: tests kill it.
    await Promise.race([driver.heard(({ event }) => event === 'ready'), ended]);
    return driver;
  }

  async call(op: string, params: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = ++this.#lastId;
    const answered = once(this.#answers, String(id));
    this.#child.stdin?.write(`${JSON.stringify({ id, op, group: 'DEFAULT_GROUP', ...params })}\n`);
    const [answer] = (await answered) as [{ ok: boolean; result: unknown; error: string }];
    if (!answer.ok) throw new Error(answer.error);
    return answer.result;
  }

  /** The client's own view of a service, asked of the server now. */
  async instances(service: string, params: Readonly<Record<string, unknown>> = {}): Promise<readonly SeenInstance[]> {
    return (await this.call('instances', { service, ...params })) as readonly SeenInstance[];
  }

  /** The first event, past or to come, that satisfies the predicate. */
  async heard(predicate: (event: Readonly<Record<string, unknown>>) => boolean): Promise<Readonly<Record<string, unknown>>> {
    for (let next = 0; ; ) {
      for (; next < this.events.length; next++) {
        const event = this.events[next];
        if (event !== undefined && predicate(event)) return event;
      }
      await once(this.#arrivals, 'event');
    }
  }

  /** The latest list that a subscription told of the service, once it satisfies. What was told before it does not count. */
  async told(service: string, satisfies: (instances: readonly SeenInstance[]) => boolean): Promise<void> {
    const limit = AbortSignal.timeout(TOLD_WITHIN_MS);
    for (;;) {
      // Every driver prints its changes so.
      const latest = this.events.findLast((event) => event.event === 'change' && event.service === service) as Change | undefined;
      if (latest !== undefined && satisfies(latest.instances)) return;
      if (limit.aborted) throw new Error(`last told of ${service}: ${JSON.stringify(latest?.instances)}`);
      // Ends early at the limit, and finds it reached.
      await once(this.#arrivals, 'event', { signal: limit }).catch(() => {});
    }
  }

  /** Asks the process to end, in its own orderly way. */
  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  /** Ends the process with no chance to say goodbye. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
