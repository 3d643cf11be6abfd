import { createServer, type Socket } from 'node:net';
import { type Connection, createServer as createMysql } from 'mysql2';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import type { CheckKind } from '../../src/registry/checks.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { deadPort, listening, loopbackChecks, MYSQL_HELLO, mysqlPacket, outcomeOf, patience, target } from './peers.ts';

failOnLeaks();

type MysqlCheck = Extract<CheckKind, { type: 'mysql' }>;

const READ_ONLY = "show global variables where variable_name='read_only'";

function mysql(parts: Partial<MysqlCheck> = {}): MysqlCheck {
  return { type: 'mysql', user: 'prober', password: 'a-secret', command: 'select 1', ...parts };
}

/** What mysql2 calls its columns on the server's side. */
const COLUMN = {
  catalog: 'def',
  schema: '',
  table: '',
  orgTable: '',
  characterSet: 33,
  columnLength: 9,
  columnType: 253,
  flags: 0,
  decimals: 0,
};

function answer(connection: Connection, columns: readonly string[], row: readonly string[]): void {
  const described = columns.map((name) => ({ ...COLUMN, name, orgName: name }));
  // Of the server's side the declarations know nothing of what they take.
  const server = connection as unknown as {
    writeColumns(columns: unknown): void;
    writeTextRow(row: unknown): void;
    writeEof(): void;
  };
  server.writeColumns(described);
  server.writeTextRow(row);
  server.writeEof();
}

/** A server of mysql2's own, behind a port of ours. */
function mysqlServer(handle: (connection: Connection, command: string) => void, refusal?: { message: string; code: number }) {
  const server = createMysql((connection: Connection) => {
    connection.on('error', () => {});
    connection.on('query', (command: string) => {
      handle(connection, command);
      inOrder(connection);
    });
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: '8.0.0-test',
      connectionId: 1,
      statusFlags: 2,
      characterSet: 33,
      capabilityFlags: 0xffffff & ~0x800 & ~0x20,
      authCallback: (_given: unknown, say: (error: null, refusal?: object) => void) => {
        say(null, refusal);
        inOrder(connection);
      },
    });
  });
  return listening(createServer((socket) => Reflect.get(server, '_handleConnection').call(server, socket)));
}

/** Every command begins to count its packets anew, which the server's side of mysql2 leaves to us. */
function inOrder(connection: Connection): void {
  Reflect.set(connection, 'sequenceId', 0);
}

let written: MockInstance[];
beforeEach(() => {
  written = (['log', 'warn', 'error', 'trace'] as const).map((name) => vi.spyOn(console, name).mockImplementation(() => {}));
});
afterEach(() => {
  const lines = written.flatMap(({ mock }) => mock.calls);
  vi.restoreAllMocks();
  expect(lines).toEqual([]);
});

describe('a server that', () => {
  it.each<readonly [what: string, command: string, handle: (connection: Connection) => void, outcome: string]>([
    ['answers with a row', 'select 1', (connection) => answer(connection, ['1'], ['1']), 'passes'],
    ['has nothing to answer', 'do 1', (connection) => connection.writeOk({ affectedRows: 0 }), 'passes'],
    [
      'is not read-only',
      READ_ONLY,
      (connection) => answer(connection, ['Variable_name', 'Value'], ['read_only', 'OFF']),
      'passes',
    ],
    [
      'is read-only',
      READ_ONLY,
      (connection) => answer(connection, ['Variable_name', 'Value'], ['read_only', 'ON']),
      'read-only, counted',
    ],
    [
      'is read-only, but was asked in other words',
      `${READ_ONLY};`,
      (connection) => answer(connection, ['Variable_name', 'Value'], ['read_only', 'ON']),
      'passes',
    ],
    [
      'does not know the table',
      'select x',
      (connection) => connection.writeError({ message: 'a-secret', code: 1146 }),
      'query failed, at-once',
    ],
    [
      'answers without end',
      'select 1',
      (connection) => answer(connection, ['1'], ['x'.repeat(2_000_000)]),
      'query failed, counted',
    ],
    [
      'drops the connection',
      'select 1',
      (connection) => Reflect.get(connection, 'stream').resetAndDestroy(),
      'connection ended, counted',
    ],
    ['ends the connection', 'select 1', (connection) => Reflect.get(connection, 'stream').end(), 'connection ended, counted'],
    ['answers out of order', 'select 1', (connection) => Reflect.get(connection, 'stream').write(OK(9)), 'not MySQL, at-once'],
  ])('%s', async (_what, command, handle, outcome) => {
    const asked: string[] = [];
    await using peer = await mysqlServer((connection, sql) => {
      asked.push(sql);
      handle(connection);
    });
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, mysql({ command })), patience()))).toBe(outcome);
    expect(asked).toEqual([command]);
  });

  it.each([
    ['refuses the password', 1045, 'login refused, at-once'],
    ['has too many connections', 1040, 'login refused, counted'],
  ])('%s', async (_what, code, outcome) => {
    await using peer = await mysqlServer(() => {}, { message: 'prober a-secret', code });
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, mysql()), patience()))).toBe(outcome);
  });

  it('never answers is waited for until the signal aborts', async () => {
    const patienceEnds = new AbortController();
    await using peer = await mysqlServer(() => patienceEnds.abort());
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, mysql()), patienceEnds.signal))).toBe('timed out, slow');
  });
});

const OK = (sequence: number) => mysqlPacket(sequence, '\x00\x00\x00\x02\x00\x00\x00');

describe('a port that', () => {
  it.each<readonly [what: string, greet: (socket: Socket) => void, outcome: string]>([
    ['greets as another protocol does', (socket) => socket.write('SSH-2.0-OpenSSH_9.2p1\r\n'), 'not MySQL, at-once'],
    [
      'greets without end',
      (socket) => socket.write(Buffer.alloc(2_000_000, '\xff\xff\xff\x00', 'latin1')),
      'query failed, counted',
    ],
    ['sends an empty greeting', (socket) => socket.write(mysqlPacket(0, '')), 'not MySQL, at-once'],
    ['sends a greeting that is cut short', (socket) => socket.write(mysqlPacket(0, '\n8.0')), 'not MySQL, at-once'],
    ['sends a greeting out of order', (socket) => socket.write(mysqlPacket(7, MYSQL_HELLO)), 'not MySQL, at-once'],
    [
      'is full from the start',
      (socket) => socket.end(mysqlPacket(0, '\xff\x10\x04Too many connections')),
      'login refused, counted',
    ],
    [
      'lets nobody in from here',
      (socket) => socket.end(mysqlPacket(0, '\xff\x6a\x04Host is not allowed')),
      'login refused, at-once',
    ],
    [
      'wants the password as it is',
      (socket) => conversing(socket, mysqlPacket(2, '\xfemysql_clear_password\x00')),
      'login refused, at-once',
    ],
    [
      'wants another way to log in',
      (socket) => conversing(socket, mysqlPacket(2, '\xfedialog\x00abc')),
      'login refused, at-once',
    ],
    ['asks for a file', (socket) => conversing(socket, OK(2), mysqlPacket(1, '\xfb/etc/passwd'), OK(3)), 'not MySQL, at-once'],
    ['answers nonsense to a login', (socket) => conversing(socket, mysqlPacket(2, '\x77')), 'not MySQL, at-once'],
    [
      'wants a key that is none',
      (socket) => conversing(socket, mysqlPacket(2, `\xfesha256_password\x00${'s'.repeat(20)}`), mysqlPacket(4, '\x01nokey')),
      'login refused, at-once',
    ],
    ['ends', (socket) => socket.end(), 'connection ended, counted'],
    [
      'resets whoever logs in',
      (socket) => socket.write(mysqlPacket(0, MYSQL_HELLO)) && socket.once('data', () => socket.resetAndDestroy()),
      'connection ended, counted',
    ],
  ])('%s', async (_what, greet, outcome) => {
    await using peer = await listening(createServer(greet));
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, mysql()), patience()))).toBe(outcome);
  });

  /** Greets, and gives an answer each time something is said. */
  function conversing(socket: Socket, ...answers: Buffer[]): void {
    socket.write(mysqlPacket(0, MYSQL_HELLO));
    socket.on('data', () => {
      const next = answers.shift();
      if (next !== undefined) socket.write(next);
    });
  }

  it('refuses is down at once', async () => {
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(await deadPort(), mysql()), patience()))).toBe('refused, at-once');
  });

  it('says nothing is waited for until the signal aborts', async () => {
    const patienceEnds = new AbortController();
    await using peer = await listening(createServer(() => patienceEnds.abort()));
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, mysql()), patienceEnds.signal))).toBe('timed out, slow');
  });
});
