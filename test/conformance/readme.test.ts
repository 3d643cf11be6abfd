import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { CONFIG_1_CLIENTS, MAINTAINERS, NACOS_CLIENTS } from './nacos-clients.ts';

const ROOT = join(import.meta.dirname, '../..');

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

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
  const named = [...README.matchAll(/^\| ([^|]+) \| ([^|]*) \|/gm)].flatMap(([, kind = '', versions = '']) =>
    KINDS[kind] === undefined ? [] : versions.split(', ').map((version) => `${KINDS[kind]}-${version}`),
  );
  const driven = new Set([
    ...Object.keys({ ...NACOS_CLIENTS, ...CONFIG_1_CLIENTS }),
    ...Object.keys(MAINTAINERS).map((name) => `maintainer-${name}`),
  ]);
  expect(named.sort()).toEqual([...driven].sort());
});

/** The commands of a README section's shell blocks, each with the answer that stands below it as a comment. */
function commandsOf(section: string): { readonly command: string; readonly answer: string | undefined }[] {
  const text = README.split(`\n## ${section}\n`, 2)[1]?.split('\n## ', 1)[0] ?? '';
  const lines = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) => block.trimEnd().split('\n'));
  return lines.flatMap((command, i) =>
    command.startsWith('#') ? [] : [{ command, answer: lines[i + 1]?.match(/^# (.*)/)?.[1] }],
  );
}

const { curl, npm } = inject('tools');

it.skipIf(curl.path === undefined || npm.path === undefined)("README's first minutes happen as printed", async () => {
  // `npm start` as a newcomer runs it, less the installation. A group of its own, so that all of it can be ended.
  const start = spawn('npm', ['start'], { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let heard = '';
    for await (const chunk of start.stdout.iterator({ destroyOnReturn: false })) {
      heard += chunk;
      if (heard.includes('"msg":"ready"')) break;
    }
    const ready = README.match(/^\{"msg":"ready".*$/m)?.[0];
    expect(heard.split('\n')).toContain(ready);

    const commands = commandsOf('A flip in five curls');
    expect(commands.filter(({ answer }) => answer !== undefined)).toHaveLength(5);
    for (const { command, answer } of commands) {
      const said = execFileSync('bash', ['-c', command.replace(/^curl /, 'curl --silent ')], { encoding: 'utf8' });
      expect({ command, said }).toEqual({ command, said: answer ?? '' });
    }
    const [last] = commands.slice(-1);
    expect(execFileSync('bash', ['-c', `${last?.command} -s -o /dev/null -w '%{http_code}'`], { encoding: 'utf8' })).toBe('404');
  } finally {
    const exited = once(start, 'exit');
    process.kill(-(start.pid ?? 0), 'SIGTERM');
    await exited;
  }
});
