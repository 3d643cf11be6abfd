import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'vitest';
import { CLI, type Process, run, startProcess } from './process.ts';
import { register } from './server.ts';

/** A folder with the program on its path, the scripts of completion and some files, and a server with some services. For `await using`. */
export class Completing implements AsyncDisposable {
  readonly dir: string;
  readonly bridge: Process;
  /** A name that a shell which expands it would make a file of. */
  readonly nasty: string;

  private constructor(dir: string, bridge: Process) {
    this.dir = dir;
    this.bridge = bridge;
    this.nasty = nastyIn(dir);
  }

  static async start(): Promise<Completing> {
    const dir = mkdtempSync(join(tmpdir(), 'beatbridge-completion-'));
    const bin = join(dir, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'beatbridge'), `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`);
    chmodSync(join(bin, 'beatbridge'), 0o755);
    for (const shell of ['bash', 'zsh', 'fish'])
      writeFileSync(join(dir, `script.${shell}`), (await run(['completion', shell])).stdout);
    for (const name of ['alpha.pem', 'alps.txt']) writeFileSync(join(dir, name), '');
    mkdirSync(join(dir, 'almanac'));
    const bridge = await startProcess();
    for (const service of ['orders', 'order-items', 'G1@@orders', 'providers:com.shop.Orders:1.0.0:', nastyIn(dir)])
      await register(bridge, service, { ephemeral: 'false' });
    await register(bridge, 'elsewhere', { namespaceId: 'dev', ephemeral: 'false' });
    return new Completing(dir, bridge);
  }

  get hasExpanded(): boolean {
    return existsSync(join(this.dir, 'pwned'));
  }

  get #env() {
    const path = `${join(this.dir, 'bin')}${delimiter}${process.env.PATH}`;
    return { ...process.env, PATH: path, BEATBRIDGE_ADDR: this.bridge.listeners.main, HOME: this.dir, TERM: 'xterm' };
  }

  /** What a shell says. */
  async said(shell: string, args: readonly string[]): Promise<string> {
    const child = spawn(shell, args, { cwd: this.dir, env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        out += chunk;
      });
    await once(child, 'close');
    return out;
  }

  /**
   * What becomes of lines that are typed at a terminal, each with a tab: `command` starts a shell that says READY when it is, and shows
   * its line as `<<LINE>>` at Ctrl-X.
   */
  async typed(command: string, lines: readonly string[]): Promise<readonly string[]> {
    const child = spawn('script', ['-qfec', command, '/dev/null'], { cwd: this.dir, env: this.#env });
    try {
      let out = '';
      child.stdout.on('data', (chunk) => {
        out += chunk;
      });
      child.stdin.on('error', () => {});
      await expect.poll(() => out, SOON).toContain('READY');
      for (const [i, line] of lines.entries()) {
        child.stdin.write(`${line}\t\u0018`);
        await expect.poll(() => out.match(/<<.*>>/g)?.length ?? 0, SOON).toBe(i + 1);
      }
      return [...out.matchAll(/<<(.*)>>/g)].map(([, line = '']) => line.trimEnd());
    } finally {
      child.kill('SIGKILL');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bridge.stop('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A shell, and the program that it starts, take their time. */
const SOON = { timeout: 60_000, interval: 20 };

function nastyIn(dir: string): string {
  return `$(touch\${IFS}${dir}/pwned)`;
}

/** What is typed before the tab, and all that is offered then, sorted. */
export const OFFERED: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['beatbridge con', ['config']],
  ['beatbridge config ', ['check', 'print', 'schema']],
  ['beatbridge completion ', ['bash', 'fish', 'zsh']],
  ['beatbridge completion z', ['zsh']],
  ['beatbridge serve --log-level d', ['debug']],
  ['beatbridge serve --log-level=d', ['debug']],
  ['beatbridge --log-level=d', ['debug']],
  ['beatbridge serve --health-p', ['--health-port']],
  ['beatbridge config check --tls-on', ['--tls-only']],
  // The value of a flag is no command.
  ['beatbridge export --server config --outp', ['--output']],
  ['beatbridge serve --tls-cert alph', ['alpha.pem']],
  ['beatbridge export --data-dir al', ['almanac']],
  ['beatbridge check order', ['order-items', 'orders']],
  ['beatbridge disable 10.0.0.1:80 --service G1', ['G1@@orders']],
  ['beatbridge check --rpc-timeout 1s G1@@or', ['G1@@orders']],
  ['beatbridge deregister else', []],
  ['beatbridge deregister --namespace dev else', ['elsewhere']],
  ['beatbridge check -o ', ['json', 'text']],
  ['beatbridge check orders --outp', ['--output']],
  ['beatbridge check --addr 127.0.0.1:1 order', []],
];

/** What is typed before the tab, and what the line is then. */
export const TYPED = [
  ['beatbridge config c', 'beatbridge config check'],
  ['beatbridge completion z', 'beatbridge completion zsh'],
  ['beatbridge serve --log-level d', 'beatbridge serve --log-level debug'],
  ['beatbridge --log-level=d', 'beatbridge --log-level=debug'],
  ['beatbridge serve --health-p', 'beatbridge serve --health-port'],
  ['beatbridge check G1@@o', 'beatbridge check G1@@orders'],
  ['beatbridge check providers:com', 'beatbridge check providers:com.shop.Orders:1.0.0:'],
  ['beatbridge import alph', 'beatbridge import alpha.pem'],
] as const;
