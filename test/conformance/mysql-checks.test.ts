import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { expect, inject, it, onTestFinished } from 'vitest';
import type { CheckError } from '../../src/probe/check.ts';
import { createChecks } from '../../src/probe/checks.ts';
import { AddressSet } from '../../src/wire/addresses.ts';
import { Folder, freeAddress, Program, portOf } from './program.ts';

/** Where it is not installed this is skipped, and named by `tools.ts`; with INTEROP=all that fails the run. */
const { path } = inject('tools').mariadb;

const USER = { user: 'prober', password: 'a-secret' };
const ADMIN = { user: 'operator', password: 'another-secret' };
const READ_ONLY = "show global variables where variable_name='read_only'";

// Not installed: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
it.skipIf(path === undefined)('MariaDB is checked by a login and a command', async () => {
  using folder = new Folder();
  const port = Number(portOf(await freeAddress()));
  const server = await startMariadb(folder, port);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const { check, close } = createChecks({ allow: new AddressSet(['loopback']), resolveNames: false });
  onTestFinished(close);
  const outcomeOf = async (command: string, password = USER.password, patienceMs = 20_000) => {
    const kind = { type: 'mysql', user: USER.user, password, command } as const;
    try {
      await check({ ip: '127.0.0.1', port, check: kind }, AbortSignal.timeout(patienceMs));
      return 'passes';
    } catch (error) {
      // Nothing else is thrown.
      const { message, weight } = error as CheckError;
      return `${message}, ${weight}`;
    }
  };

  // Set up by a client of its own, which also sees what the server notes of ours.
  const admin = await createConnection({ host: '127.0.0.1', port, ...ADMIN });
  onTestFinished(() => admin.end().catch(() => {}));
  expect(await outcomeOf('select 1')).toBe('passes');
  expect(await outcomeOf('do 1')).toBe('passes');
  expect(await outcomeOf(READ_ONLY)).toBe('passes');
  await admin.query('set global read_only = on');
  expect(await outcomeOf(READ_ONLY)).toBe('read-only, counted');
  expect(await outcomeOf('select 1')).toBe('passes');
  await admin.query('set global read_only = off');
  expect(await outcomeOf(READ_ONLY)).toBe('passes');
  expect(await outcomeOf('select * from nowhere.nothing')).toBe('query failed, at-once');
  expect(await outcomeOf('not sql')).toBe('query failed, at-once');
  expect(await outcomeOf("select repeat('x', 4000000)")).toBe('query failed, counted');
  expect(await outcomeOf('select 1', 'a-wrong-secret')).toBe('login refused, at-once');
  expect(await outcomeOf('select 1', '')).toBe('login refused, at-once');
  await admin.query('alter user prober with max_user_connections 1');
  const only = await createConnection({ host: '127.0.0.1', port, ...USER });
  onTestFinished(() => only.end().catch(() => {}));
  expect(await outcomeOf('select 1')).toBe('login refused, counted');
  await only.end();
  await admin.query('alter user prober with max_user_connections 0');
  // All but the one whose answer was too long have said goodbye.
  const [[row]] = await admin.query<[{ Value: string }] & never[]>("show global status like 'Aborted_clients'");
  expect(Number(row.Value)).toBeLessThanOrEqual(1);
  expect(await outcomeOf('select sleep(60)', USER.password, 500)).toBe('timed out, slow');
  expect(server.log).not.toContain('a-secret');

  await server[Symbol.asyncDispose]();
  expect(await outcomeOf('select 1')).toBe('refused, at-once');
});

/** On a data folder of its own and on loopback alone. */
async function startMariadb(folder: Folder, port: number): Promise<Program> {
  const data = `${folder.path}/data`;
  // It refuses to run as root unless told to.
  const asRoot = process.getuid?.() === 0 ? ['--user=root'] : [];
  const own = ['--no-defaults', `--datadir=${data}`, ...asRoot];
  await promisify(execFile)('mariadb-install-db', [...own, '--auth-root-authentication-method=normal', '--skip-test-db']);
  const users = folder.write(
    'users.sql',
    [
      `create user ${USER.user} identified by '${USER.password}';`,
      `create user ${ADMIN.user} identified by '${ADMIN.password}';`,
      `grant all on *.* to ${ADMIN.user};`,
    ].join('\n'),
  );
  const server = new Program(path, [
    ...own,
    `--socket=${folder.path}/socket`,
    `--pid-file=${folder.path}/pid`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
    `--init-file=${users}`,
  ]);
  await expect.poll(() => server.log, { timeout: 60_000 }).toContain('ready for connections');
  return server;
}
