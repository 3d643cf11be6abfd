import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { CONFIG_1_CLIENTS, MAINTAINERS, NACOS_CLIENTS } from './nacos-clients.ts';

const ROOT = join(import.meta.dirname, '../..');

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const CHECKS = readFileSync(join(ROOT, 'docs/checks.md'), 'utf8');
const COMPATIBILITY = readFileSync(join(ROOT, 'docs/compatibility.md'), 'utf8');

/** What the compatibility table calls the clients that the suites call so. */
const KINDS: Readonly<Record<string, string>> = {
  'Java `nacos-client`': 'java',
  'Go `nacos-sdk-go`': 'go',
  'Go `nacos-sdk-go` v2': 'go',
  'npm `nacos`': 'npm',
  '`nacos-sdk-python`': 'python',
  'Rust `nacos-sdk`': 'rust',
  'Java `nacos-maintainer-client`': 'maintainer-java',
};

it('the compatibility table names every Nacos client that is driven, and no other', () => {
  const named = [...COMPATIBILITY.matchAll(/^\| ([^|]+) \| ([^|]*) \|/gm)].flatMap(([, kind = '', versions = '']) =>
    KINDS[kind] === undefined ? [] : versions.split(', ').map((version) => `${KINDS[kind]}-${version}`),
  );
  const driven = new Set([
    ...Object.keys({ ...NACOS_CLIENTS, ...CONFIG_1_CLIENTS }),
    ...Object.keys(MAINTAINERS).map((name) => `maintainer-${name}`),
  ]);
  expect(named.sort()).toEqual([...driven].sort());
});

interface Command {
  readonly command: string;
  /** What stands below it as a comment, `…` for what is another each time; empty: whatever it says. */
  readonly answer: readonly string[];
}

/** The commands of the shell blocks of a page, or of a section of it. */
function commandsOf(page: string, section?: string): Command[] {
  const text = section === undefined ? page : (page.split(`\n## ${section}\n`, 2)[1]?.split('\n## ', 1)[0] ?? '');
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) => {
    const commands: { command: string; answer: string[] }[] = [];
    for (const line of block.trimEnd().replaceAll('\\\n', '').split('\n'))
      if (line.startsWith('#')) commands.at(-1)?.answer.push(line.slice(2));
      else commands.push({ command: line, answer: [] });
    return commands;
  });
}

function matching(answer: readonly string[]): RegExp {
  const escaped = answer.join('\n').replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('…', '[^\\n]*')}$`);
}

const { curl, npm, grpcHealthProbe, grpcurl } = inject('tools');
// Without one of them skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
const NOT_INSTALLED = [curl, npm, grpcHealthProbe, grpcurl].some(({ path }) => path === undefined);
/** Where those are that README takes for installed, by the names that it calls them. */
const PROGRAMS = mkdtempSync(join(tmpdir(), 'beatbridge-readme-'));
const PATH = `${PROGRAMS}:${process.env.PATH}`;
beforeAll(() => {
  for (const [name, { path }] of Object.entries({ grpc_health_probe: grpcHealthProbe, grpcurl }))
    if (path !== undefined) symlinkSync(path, join(PROGRAMS, name));
});
afterAll(() => rmSync(PROGRAMS, { recursive: true, force: true }));

/** A command that runs until it is ended. In a group of its own, so that all of it can be. */
function started(command: string): AsyncDisposable & { readonly heard: (words: string) => Promise<string[]> } {
  const child = spawn('bash', ['-c', quiet(command)], { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let said = '';
  const heard = async (words: string) => {
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
      said += chunk;
      if (said.includes(words)) break;
    }
    const lines = said.split('\n');
    said = '';
    return lines;
  };
  return {
    heard,
    // Once more does nothing.
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGTERM');
      await exited;
    },
  };
}

/** What bash says to the command, which has to end as its own comment says. */
function said(command: string): string {
  const [, code = '0'] = /# exit code (\d+)/.exec(command) ?? [];
  const { stdout, status } = spawnSync('bash', ['-c', quiet(command)], {
    cwd: ROOT,
    env: { ...process.env, PATH },
    encoding: 'utf8',
  });
  expect(status, command).toBe(Number(code));
  return stdout.trimEnd();
}

/** Without the progress that curl shows where nobody looks on. */
function quiet(command: string): string {
  return command.replace(/^curl /, 'curl --silent ');
}

it.skipIf(NOT_INSTALLED)("README's commands do what it says, every one of them", async () => {
  const [start, ...commands] = commandsOf(README);
  // As a newcomer runs it, less the installation.
  expect(start?.command).toBe('npm ci && npm start');
  await using bridge = started('npm start');
  const ready = README.match(/^\{"msg":"ready".*$/m)?.[0];
  expect(await bridge.heard('"msg":"ready"')).toContain(ready);

  expect(commands.filter(({ answer }) => answer.length > 0).length).toBeGreaterThan(5);
  for (const { command, answer } of commands) {
    const text = said(command);
    if (answer.length > 0) expect(text, command).toMatch(matching(answer));
  }
});

it.skipIf(NOT_INSTALLED)('the check in four curls of docs/checks.md happens as printed', async () => {
  const [listen, start, register, check, watch, ask, ...more] = commandsOf(CHECKS, 'An HTTP check in four curls');
  if (!(listen && start && register && check && watch && ask) || more.length > 0) throw new Error('the page has other commands');
  const instance = started(listen.command);
  try {
    await using bridge = started(start.command);
    await bridge.heard('"msg":"ready"');
    for (const { command, answer } of [register, check]) expect(said(command), command).toMatch(matching(answer));
    await using watching = started(watch.command);
    expect(await watching.heard('data: ')).toContain(watch.answer[0]);
    expect(said(ask.command)).toMatch(matching(ask.answer));
    const cart = () => said("curl http://127.0.0.1:20000/health/cart -o /dev/null -w '%{http_code}'");
    expect(cart()).toBe('200');

    await instance[Symbol.asyncDispose]();
    expect(await watching.heard('data: ')).toContain('data: {"status":"NOT_SERVING"}');
    await expect.poll(cart, { timeout: 10_000 }).toBe('503');

    await using _again = started(listen.command);
    expect(await watching.heard('data: ')).toContain(watch.answer[0]);
  } finally {
    await instance[Symbol.asyncDispose]();
  }
});
