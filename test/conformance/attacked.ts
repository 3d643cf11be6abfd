import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import { FREE_PORTS, type Process, startProcess } from '../support/process.ts';
import { register } from '../support/server.ts';
import { Program } from './program.ts';

const CLIENTS = join(import.meta.dirname, 'clients/honest-checks');
/** For what an attack has left to be gone. */
const GONE_WITHIN_MS = 10_000;
/** What a process takes that has served anybody at all: code that has been compiled, tables and buffers that have grown. */
const MARGIN_BYTES = 16 << 20;
const MEBIBYTE = 1 << 20;
const WARM_QUESTIONS = 50;

/** What an honest client was answered. */
interface Answered {
  readonly asked: number;
  readonly failed: number;
  readonly longestMs: number;
  readonly why: readonly string[];
}

/** What an attack has come to. */
export interface Borne {
  /** By how much the process has grown at most while it went on. */
  readonly mostMebibytes: number;
  /** For how long the process worked. */
  readonly cpuMs: number;
}

/**
 * A beatbridge in a process of its own that is attacked, and meanwhile asked by an honest client fifty times a second. With
 * `ATTACKS_TOLD=1` each attack tells its figures. For `await using`.
 */
export class Attacked implements AsyncDisposable {
  readonly bridge: Process;
  readonly #honest: Program;
  readonly #pid: number;

  private constructor(bridge: Process, honest: Program) {
    this.bridge = bridge;
    this.#honest = honest;
    this.#pid = bridge.child.pid ?? 0;
  }

  static async start(args: readonly string[] = [], nodeOptions = ''): Promise<Attacked> {
    const figures = pathToFileURL(join(CLIENTS, 'figures.js')).href;
    const bridge = await startProcess([...FREE_PORTS, '--probes', 'false', '--log-level', 'warn', ...args], {
      NODE_OPTIONS: `--import=${figures} ${nodeOptions}`,
    });
    await register(bridge, 'honest', { ephemeral: 'false' });
    const honest = new Program(process.execPath, [join(CLIENTS, 'checks.js'), bridge.listeners.main, 'honest']);
    const attacked = new Attacked(bridge, honest);
    // Its connection is open then, and all is compiled that it needs.
    for (let asked = 0; asked < WARM_QUESTIONS; ) asked += (await attacked.#answered()).asked;
    return attacked;
  }

  /**
   * The honest client is answered in full while it is attacked, and ten seconds later at the latest all is as it was: no descriptor is
   * left, and no more memory in use than the margin.
   */
  async bears(attack: () => Promise<unknown>): Promise<Borne> {
    const descriptors = this.descriptors;
    const bytes = await this.#bytesInUse();
    this.#forgetMost();
    const before = { mebibytes: this.#mostMebibytes, cpuMs: this.#cpuMs, at: performance.now() };
    await this.#answered();
    await attack();
    const tookMs = performance.now() - before.at;
    const cpuMs = this.#cpuMs - before.cpuMs;
    const answered = await this.#answered();
    const mostMebibytes = this.#mostMebibytes - before.mebibytes;
    await this.untilDescriptors(descriptors, GONE_WITHIN_MS);
    const inUse = expect.poll(() => this.#bytesInUse(), { interval: 250, timeout: GONE_WITHIN_MS });
    await inUse.toBeLessThan(bytes + MARGIN_BYTES);
    const left = ((await this.#bytesInUse()) - bytes) / MEBIBYTE;
    const told =
      `${answered.failed} of ${answered.asked} failed, the longest took ${Math.round(answered.longestMs)} ms; ` +
      `${Math.round(tookMs)} ms, ${cpuMs} of them at work; ${mostMebibytes} MB more at most, ${left.toFixed(1)} MB left`;
    if (process.env.ATTACKS_TOLD) console.log(`${expect.getState().currentTestName}: ${told}`);
    expect(this.bridge.child.exitCode).toBe(null);
    expect(answered.failed, `${answered.why.join(', ')} (${told})`).toBe(0);
    // It has asked all the while, if not always as often as it would on a quiet machine.
    expect(answered.asked).toBeGreaterThanOrEqual(Math.floor(tookMs / 200));
    return { mostMebibytes, cpuMs };
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.#pid}/fd`).length;
  }

  /** Waits until no more descriptors are open than `count`. */
  async untilDescriptors(count: number, withinMs: number): Promise<void> {
    await expect.poll(() => this.descriptors, { interval: 5, timeout: withinMs }).toBeLessThanOrEqual(count);
  }

  /** A stopwatch that stands while the process, or this one, would run and has no processor: others may be at work on the machine. */
  stopwatch(): () => number {
    const now = () => performance.now() - waitedMs(this.#pid) - waitedMs(process.pid);
    const started = now();
    return () => now() - started;
  }

  /** Of the honest client's questions since the last time. */
  async #answered(): Promise<Answered> {
    this.#honest.say('');
    return JSON.parse((await this.#honest.nextLine()) ?? '{}');
  }

  /** After collecting garbage. */
  async #bytesInUse(): Promise<number> {
    const { child, log } = this.bridge;
    if (child.stderr === null) throw new Error('a process has a log');
    const before = log().length;
    child.kill('SIGUSR2');
    for (;;) {
      const said = /in use: (\d+)\n/.exec(log().slice(before));
      if (said !== null) return Number(said[1]);
      await once(child.stderr, 'data');
    }
  }

  /** What the system has given it at most since `#forgetMost`. */
  get #mostMebibytes(): number {
    const status = readFileSync(`/proc/${this.#pid}/status`, 'utf8');
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1_024);
  }

  #forgetMost(): void {
    writeFileSync(`/proc/${this.#pid}/clear_refs`, '5');
  }

  /** Of processor time. */
  get #cpuMs(): number {
    const fields = readFileSync(`/proc/${this.#pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#honest[Symbol.asyncDispose]();
    await this.bridge[Symbol.asyncDispose]();
  }
}

/** For how long its first thread has waited for a processor. */
function waitedMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
}
