import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, type Process, run, startProcess } from '../support/process.ts';
import { register } from '../support/server.ts';

/** Each test starts a shell, and that starts the program. */
const SLOW = { timeout: 60_000 };
const dir = mkdtempSync(join(tmpdir(), 'beatbridge-completion-'));
const bin = join(dir, 'bin');
let bridge: Process;
/** A name that a shell which expands it would make a file of. */
const NASTY = `$(touch\${IFS}${dir}/pwned)`;

beforeAll(async () => {
  mkdirSync(bin);
  writeFileSync(join(bin, 'beatbridge'), `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`);
  chmodSync(join(bin, 'beatbridge'), 0o755);
  for (const shell of ['bash', 'zsh', 'fish'])
    writeFileSync(join(dir, `script.${shell}`), (await run(['completion', shell])).stdout);
  for (const name of ['alpha.pem', 'alps.txt']) writeFileSync(join(dir, name), '');
  mkdirSync(join(dir, 'almanac'));
  bridge = await startProcess();
  for (const service of ['orders', 'order-items', 'G1@@orders', 'providers:com.shop.Orders:1.0.0:', NASTY])
    await register(bridge, service);
  await register(bridge, 'elsewhere', { namespaceId: 'dev' });
});
afterAll(async () => {
  await bridge.stop('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

function has(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** What a program says, within that environment, of that on its standard input. */
async function said(program: string, args: readonly string[], input = ''): Promise<string> {
  const env = {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env.PATH}`,
    BEATBRIDGE_ADDR: bridge.listeners.main,
    HOME: dir,
    TERM: 'xterm',
  };
  const child = spawn(program, args, { cwd: dir, env });
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      out += chunk;
    });
  child.stdin.end(input);
  await once(child, 'close');
  return out;
}

type Complete = (line: string) => Promise<readonly string[]>;

/** As readline calls it, with its own cuts; and what is offered then, whole. */
async function inBash(line: string): Promise<readonly string[]> {
  const script = `
    source script.bash
    [[ $(complete -p beatbridge) == *_beatbridge* ]] || exit 1
    COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:@'
    COMP_LINE=$1 COMP_POINT=\${#1}
    _beatbridge 2>/dev/null
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const lines = (await said('bash', ['--norc', '--noprofile', '-c', script, 'bash', line]))
    .split('\n')
    .filter((one) => one !== '');
  const word = line.slice(line.lastIndexOf(' ') + 1);
  const cut = word.slice(0, Math.max(word.lastIndexOf('='), word.lastIndexOf(':'), word.lastIndexOf('@')) + 1);
  // What follows an @ is offered with it.
  return lines.map((one) => cut.replace(/^--[\w-]+=|@$/, '') + one).sort();
}

/** Descriptions stand behind a tab, and directories end in a slash. */
async function inFish(line: string): Promise<readonly string[]> {
  const command = `source script.fish; complete -C ${JSON.stringify(line).replaceAll('$', '\\$')}`;
  const lines = (await said('fish', ['--no-config', '-c', command])).split('\n').filter((one) => one !== '');
  return lines
    .map((one) =>
      one
        .replace(/\t.*$/, '')
        .replace(/\/$/, '')
        .replace(/^--[\w-]+=/, ''),
    )
    .sort();
}

const SHELLS: readonly (readonly [name: string, complete: Complete])[] = [
  ['bash', inBash],
  ['fish', inFish],
];

describe.each(SHELLS)('completion in %s', SLOW, (shell, complete) => {
  it.skipIf(!has(shell)).each<readonly [line: string, offered: readonly string[]]>([
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
  ])('%s', async (line, offered) => {
    expect(await complete(line)).toEqual(offered);
  });

  it.skipIf(!has(shell))('expands nothing of what a server says', async () => {
    const all = await complete('beatbridge check ');
    expect(all.length).toBeGreaterThan(3);
    expect(existsSync(join(dir, 'pwned'))).toBe(false);
  });
});

/** With a terminal of its own, where what is typed is completed and shown. */
async function typed(shell: 'bash' | 'zsh', setUp: string, lines: readonly string[]): Promise<string> {
  const file = join(dir, `${shell}.rc`);
  writeFileSync(file, setUp);
  // Zsh looks for its own file in a folder.
  writeFileSync(join(dir, '.zshrc'), setUp);
  const command = shell === 'bash' ? `bash --noprofile --rcfile ${file} -i` : `ZDOTDIR=${dir} zsh -i`;
  const child = spawn('script', ['-qfec', command, '/dev/null'], {
    cwd: dir,
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, BEATBRIDGE_ADDR: bridge.listeners.main, TERM: 'xterm' },
  });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stdin.on('error', () => {});
  await expect.poll(() => out).toContain('READY');
  for (const [i, line] of lines.entries()) {
    child.stdin.write(`${line}\t\u0018`);
    await expect.poll(() => out.match(/<<.*>>/g)?.length ?? 0).toBe(i + 1);
  }
  child.kill('SIGKILL');
  return [...out.matchAll(/<<(.*)>>/g)].map(([, buffer = '']) => buffer.trimEnd()).join('\n');
}

const TYPED = [
  ['beatbridge config c', 'beatbridge config check'],
  ['beatbridge completion z', 'beatbridge completion zsh'],
  ['beatbridge serve --log-level d', 'beatbridge serve --log-level debug'],
  ['beatbridge --log-level=d', 'beatbridge --log-level=debug'],
  ['beatbridge serve --health-p', 'beatbridge serve --health-port'],
  ['beatbridge check G1@@o', 'beatbridge check G1@@orders'],
  ['beatbridge check providers:com', 'beatbridge check providers:com.shop.Orders:1.0.0:'],
  ['beatbridge import alph', 'beatbridge import alpha.pem'],
] as const;

it.skipIf(!has('script') || !has('bash'))('what is typed in bash at a terminal is completed', SLOW, () => isCompleted('bash'));
it.skipIf(!has('script') || !has('zsh'))('what is typed in zsh at a terminal is completed', SLOW, () => isCompleted('zsh'));

async function isCompleted(shell: 'bash' | 'zsh'): Promise<void> {
  const setUp =
    shell === 'bash'
      ? `PS1=; source script.bash; show() { echo "<<$READLINE_LINE>>"; READLINE_LINE=; READLINE_POINT=0; }; bind -x '"\\C-x": show'; bind 'set bell-style none'; echo READY`
      : `PS1=; autoload -Uz compinit; compinit -u -D; source script.zsh; show() { print -r -- "<<$BUFFER>>"; zle kill-buffer }; zle -N show; bindkey '^X' show; bindkey '^I' complete-word; print READY`;
  const shown = await typed(
    shell,
    setUp,
    TYPED.map(([line]) => line),
  );
  expect(shown).toBe(TYPED.map(([, whole]) => whole).join('\n'));
}

it('is refused for other shells: 2, and what cannot be asked in time offers nothing', SLOW, async () => {
  expect(await run(['completion', 'csh'])).toMatchObject({ code: 2, stdout: '' });
  expect(await run(['complete-names', 'services', '--', 'beatbridge', 'check', '--addr', '127.0.0.1:1', ''])).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
  const names = await run(['complete-names', 'services', '--', 'beatbridge', 'check', `--addr=${bridge.listeners.main}`, '']);
  expect(
    names.stdout
      .split('\n')
      .filter((name) => name !== '')
      .sort(),
  ).toEqual(['orders', 'order-items', 'G1@@orders', 'providers:com.shop.Orders:1.0.0:', NASTY].sort());
});
