/**
 * A server under measurement: a process of its own on the servers' core, and what the kernel says that it has used. It prints a line
 * of JSON with its ports, by name, when it listens. Those that are written for this obey a word: one of Node's over its channel, others
 * over standard input; each answers with JSON.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ON_SERVER_CORE } from './machine.js';

const INSIDE = join(import.meta.dirname, 'inside.js');
const LISTENS_WITHIN_MS = 60_000;

/** What servers log goes to files, as it would in earnest: nobody has to keep up with reading it. */
const LOGS = mkdtempSync(join(tmpdir(), 'beatbridge-bench-'));
const running = new Set();
let started = 0;
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(LOGS, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

export class ServerProcess {
  #child;
  #lines;
  #log;
  /** What it said when it was ready: its ports, by name. @type {Record<string, number>} */
  said = {};
  /** From the start of the process until it listened. */
  readyMs = 0;

  /** @param {import('node:child_process').ChildProcess} child */
  constructor(child, log) {
    this.#child = child;
    this.#log = log;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Runs a program of Node's, with what answers for its memory and its event loop loaded before it.
   * @param {readonly string[]} args
   * @param {readonly string[]} flags of Node itself
   */
  static node(args, flags = [], listening = portsInALine) {
    const command = [process.execPath, '--expose-gc', ...flags, '--import', INSIDE, ...args];
    return ServerProcess.start(command, { channel: 'ipc', listening });
  }

  /**
   * @param {readonly string[]} command
   * @param {object} options
   * @param {'ipc' | 'pipe'} [options.channel] how it is spoken to
   * @param {(nextLine: () => Promise<string>) => Promise<Record<string, number>>} [options.listening] answers its ports once it listens
   * @param {NodeJS.ProcessEnv} [options.env]
   * @param {string} [options.cwd]
   * @param {number} [options.withinMs] how long it may take to listen
   * @param {readonly string[]} [options.where] what it is put before, to run on another core than servers do
   */
  static async start(command, options = {}) {
    const {
      channel = 'pipe',
      listening = portsInALine,
      withinMs = LISTENS_WITHIN_MS,
      where = ON_SERVER_CORE,
      env,
      cwd,
    } = options;
    const began = performance.now();
    const [program, ...args] = [...where, ...command];
    const log = join(LOGS, `${++started}.log`);
    const stderr = openSync(log, 'w');
    const stdio = channel === 'ipc' ? ['ignore', 'pipe', stderr, 'ipc'] : ['pipe', 'pipe', stderr];
    const child = spawn(program, args, { env, cwd, stdio });
    closeSync(stderr);
    running.add(child);
    child.once('exit', () => running.delete(child));
    // A program that cannot be run ends without a word: this is it.
    child.once('error', ({ message }) => {
      running.delete(child);
      writeFileSync(log, message);
    });
    const server = new ServerProcess(child, log);
    const late = setTimeout(() => child.kill('SIGKILL'), withinMs);
    try {
      server.said = await listening(() => server.#nextLine());
      server.readyMs = performance.now() - began;
    } catch (error) {
      await server.end();
      throw error;
    } finally {
      clearTimeout(late);
    }
    return server;
  }

  async #nextLine() {
    const { value, done } = await this.#lines.next();
    if (done) throw this.#hasEnded();
    return value;
  }

  #hasEnded() {
    const last = readFileSync(this.#log, 'utf8').trim().split('\n').slice(-4).join(' / ');
    return new Error(`it has ended: ${last.slice(-400) || 'without a word'}`);
  }

  /** Has it do something, and answers what it says. */
  async ask(word) {
    if (!running.has(this.#child)) throw this.#hasEnded();
    if (this.#child.send === undefined) {
      this.#child.stdin?.write(`${word}\n`);
      return JSON.parse(await this.#nextLine());
    }
    this.#child.send(word);
    const over = new AbortController();
    const answer = once(this.#child, 'message', over).then(([said]) => said);
    const ended = once(this.#child, 'exit', over).then(() => Promise.reject(this.#hasEnded()));
    try {
      return await Promise.race([answer, ended]);
    } finally {
      over.abort();
    }
  }

  /** What all its threads have used of a processor, and how long they were ready to run and had none, in nanoseconds. */
  used() {
    const folder = `/proc/${this.#child.pid}/task`;
    const sums = { ns: 0, waitedNs: 0 };
    for (const thread of readdirSync(folder)) {
      const [ns, waitedNs] = readFileSync(`${folder}/${thread}/schedstat`, 'latin1').split(' ').map(Number);
      sums.ns += ns;
      sums.waitedNs += waitedNs;
    }
    return sums;
  }

  rssBytes() {
    const [, kb] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'latin1')) ?? [];
    return Number(kb) * 1_024;
  }

  /** It stands still until it is resumed. */
  halt() {
    this.#child.kill('SIGSTOP');
  }

  resume() {
    this.#child.kill('SIGCONT');
  }

  async end() {
    if (!running.has(this.#child)) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

async function portsInALine(nextLine) {
  return JSON.parse(await nextLine()).ports;
}
