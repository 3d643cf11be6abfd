import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { OPTIONS } from '../../src/options.ts';
import { ran } from '../support/asked.ts';
import { FREE_PORTS, run, startProcess } from '../support/process.ts';

const folder = mkdtempSync(join(tmpdir(), 'beatbridge-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('beatbridge config', () => {
  const bad = written('bad.yaml', 'prot: 1\npushDelayMs: 20ms\nhealthPort: 8848\n');
  const faults = [
    `beatbridge: ${bad}:1:1 prot is not an option, did you mean port?`,
    `beatbridge: ${bad}:2:14 pushDelayMs must be 0..10000, got "20ms"`,
    `beatbridge: --port (by default) and ${bad}:3:13 healthPort must differ, both are 8848`,
    '',
  ];

  it.each([[['serve']], [['config', 'check']], [['config', 'print']]])(
    '%j says all that is wrong with a file and exits 2',
    async (command) => {
      const { code, stdout, stderr } = await run([...command, '--config', bad]);
      expect({ code, stdout, stderr: stderr.split('\n') }).toEqual({ code: 2, stdout: '', stderr: faults });
    },
  );

  it('check says in one line that the options are valid, opens no port and writes nothing', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as { port: number };
    const good = written('good.yaml', `host: 127.0.0.1\nport: ${port}\n`);
    const before = readdirSync(folder);
    const checked = await run(['config', 'check', '--health-port', '0'], { BEATBRIDGE_CONFIG: good, BEATBRIDGE_PROBES: 'false' });
    blocker.close();
    // Two of those by the environment hold for all tests.
    const rest = Object.keys(OPTIONS).length - 6;
    const stdout = `the options are valid: 1 by flag, 3 by the environment, 2 by file, ${rest} by default\n`;
    expect(checked).toEqual({ code: 0, stdout, stderr: '' });
    expect(readdirSync(folder)).toEqual(before);
  });

  it('check looks into the files of TLS, and names what named them', async () => {
    const tls = written('tls.yaml', 'tlsCert: nowhere.pem\n');
    const { code, stdout, stderr } = await run(['config', 'check', '--config', tls], { BEATBRIDGE_TLS_KEY: 'nowhere.pem' });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(`^beatbridge: ${tls}:1:10 tlsCert cannot be read: ENOENT`),
      expect.stringMatching('^beatbridge: BEATBRIDGE_TLS_KEY cannot be read: ENOENT'),
      '',
    ]);
  });

  it('check finds what serve would refuse of logins, in its words, and makes no secret', async () => {
    const users = written('check-users.yaml', 'users: { ann: { password: nacosnacos, roles: [admin] } }');
    const logins = ['config', 'check', ...FREE_PORTS, '--auth'];
    const faultsOf = async (...more: string[]) => {
      const { code, stderr } = await ran([...logins, ...more]);
      return [code, stderr.trimEnd().split('\n')];
    };
    expect(await faultsOf('--data-dir', 'none')).toEqual([
      2,
      ['beatbridge: --auth needs a secret that outlives a restart: --auth-secret-file, or a --data-dir to keep one in'],
    ]);
    const dataDir = join(folder, 'nowhere-yet');
    expect(await faultsOf('--data-dir', dataDir, '--user-file', join(folder, 'no-users.yaml'))).toEqual([
      2,
      [`beatbridge: --user-file ${join(folder, 'no-users.yaml')}: it cannot be read: ENOENT`],
    ]);
    expect(await faultsOf('--data-dir', dataDir, '--user-file', users)).toEqual([
      2,
      [`beatbridge: --user-file ${users}: user "ann": this password is the first that anybody would try`],
    ]);
    expect(await faultsOf('--data-dir', dataDir, '--default-service', 'a?b=c')).toEqual([
      2,
      [expect.stringMatching(/^beatbridge: the default service must be .*, got "a\?b=c"$/)],
    ]);
    expect(await faultsOf('--data-dir', dataDir)).toEqual([0, ['']]);
    expect(readdirSync(folder)).not.toContain('nowhere-yet');
  });

  it('print gives a file that serve takes, and that prints the same', async () => {
    const printed = await run(['config', 'print', ...FREE_PORTS, '--default-service', 'a: "b" # c']);
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    const file = written('printed.yaml', printed.stdout);
    const again = await ran(['config', 'print', '--config', file]);
    const values = (text: string) => text.replaceAll(/ +# \S+$/gm, '');
    expect(values(again.stdout)).toBe(values(printed.stdout));
    expect(again.stdout).toMatch(`# ${file}:1\n`);
    await using bridge = await startProcess(['--config', file]);
    expect(bridge.listeners.main).toMatch(/^127\.0\.0\.1:[1-9]/);
  });

  it('print --json is for programs', async () => {
    const { stdout } = await ran(['config', 'print', '--json', '--port', '80']);
    expect(JSON.parse(stdout).port).toEqual({ value: 80, source: 'flag' });
  });

  it('schema prints a schema that names every option', async () => {
    const { code, stdout, stderr } = await run(['config', 'schema']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(Object.keys(JSON.parse(stdout).properties)).toEqual(Object.keys(OPTIONS));
  });

  it.each([
    [['config', 'chek'], 'beatbridge: unknown command "chek", did you mean check?\n'],
    [['confg', 'check'], 'beatbridge: unknown command "confg", did you mean config?\n'],
    [['config', 'check', 'beatbridge.yaml'], 'beatbridge: unexpected argument "beatbridge.yaml"\n'],
    [['config', 'check', '--confg', 'beatbridge.yaml'], 'beatbridge: --confg is not an option, did you mean --config?\n'],
    [['config', 'check', '--config', 'nowhere.yaml'], /^beatbridge: --config cannot be read: ENOENT.*\n$/],
    [['config', 'schema', 'port'], /^error: too many arguments/],
    [['config'], /^Usage: beatbridge config /],
  ])('%j is refused with exit code 2', async (args, stderr) => {
    const words = typeof stderr === 'string' ? stderr : expect.stringMatching(stderr);
    expect(await ran(args)).toEqual({ code: 2, stdout: '', stderr: words });
  });

  it.each([[['config', '--help']], [['help', 'config']]])('%j names its commands', async (args) => {
    const { code, stdout } = await ran(args);
    expect(code).toBe(0);
    for (const command of ['check', 'print', 'schema']) expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  });

  it('is named by the help of the program, which has the flag for a file', async () => {
    const { stdout } = await run(['--help']);
    expect(stdout).toMatch(/^ {2}config +look at options/m);
    expect((await ran(['serve', '--help'])).stdout).toContain('--config <file>');
  });

  it.each(['check', 'print'])('%s --help says that it takes the flags of serve, without all of them', async (command) => {
    const { code, stdout } = await ran(['config', command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('--config <file>');
    expect(stdout).toContain('All flags of serve are taken');
    expect(stdout).not.toContain('--max-listed');
  });
});
