import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Connection } from 'mysql2';
import type { CheckKind } from '../registry/checks.ts';
import { CheckError } from './check.ts';
import type { Dial } from './dial.ts';

type MysqlCheck = Extract<CheckKind, { type: 'mysql' }>;

/** In bytes, of all that a server sends. */
const MAX_ANSWER = 1024 * 1024;

/** A replica that answers ON to exactly this, as Nacos has it, is to be called no more than a dead one. */
const ASKS_WHETHER_READ_ONLY = "show global variables where variable_name='read_only'";

/** Logs in and runs the command. No word of it, of the user or of the password is in what is thrown. */
export async function checkMysql(check: MysqlCheck, ip: string, port: number, dial: Dial, signal: AbortSignal): Promise<void> {
  // Loaded when the first such check is made: most registries never make one.
  const { createConnection } = await import('mysql2');
  const socket = await dial(ip, port, signal);
  const rows = await new Promise<unknown>((resolve, reject) => {
    const stream = new GuardedStream(socket, reject);
    const connection = createConnection({
      stream,
      user: check.user,
      password: check.password,
      // Parsers that are generated from what a server calls its columns are for servers that are trusted.
      disableEval: true,
      rowsAsArray: true,
      typeCast: false,
      multipleStatements: false,
      flags: ['-LOCAL_FILES', '-CONNECT_ATTRS'],
      // How long all of it may take is the caller's to say.
      connectTimeout: 0,
    });
    converse(connection, check.command, resolve, reject);
  });
  if (check.command === ASKS_WHETHER_READ_ONLY && isOn(rows)) throw new CheckError('read-only', 'counted');
}

function converse(
  connection: Connection,
  command: string,
  resolve: (rows: unknown) => void,
  reject: (error: CheckError) => void,
): void {
  let isLoggedIn = false;
  connection.on('error', (error: unknown) => reject(troubleOf(error, isLoggedIn)));
  // What it warns of are packets out of order, and it would go on to read them, and write a line to the console.
  connection.on('warn', () => {
    throw notMysql();
  });
  connection.once('connect', () => {
    isLoggedIn = true;
    connection.query(command, (error: unknown, rows: unknown) => {
      if (error) reject(troubleOf(error, isLoggedIn));
      else resolve(rows);
      // A server counts and logs whoever leaves without a word.
      connection.end();
    });
  });
}

/** Whether the second column of a row says so. */
function isOn(rows: unknown): boolean {
  return Array.isArray(rows) && rows.some((row) => Array.isArray(row) && String(row[1]) === 'ON');
}

function troubleOf(error: unknown, isLoggedIn: boolean): CheckError {
  if (error instanceof CheckError) return error;
  if (!(error instanceof Error)) return notMysql();
  if (hasNumber(error)) {
    if (isLoggedIn) return new CheckError('query failed', 'at-once');
    return new CheckError('login refused', FULL.has(error.errno) ? 'counted' : 'at-once');
  }
  const code = 'code' in error ? String(error.code) : '';
  if (CONNECTION.test(code)) return new CheckError('connection ended', 'counted');
  // A way to log in that the library does not know, that would tell the password, or with a key that is none.
  if (/^(AUTH_SWITCH|MYSQL_CLEAR_PASSWORD|ERR_OSSL|ERR_CRYPTO)/.test(code)) return new CheckError('login refused', 'at-once');
  return notMysql();
}

/** That the server itself has said so. */
function hasNumber(error: Error): error is Error & { errno: number; sqlState: string } {
  return 'sqlState' in error && 'errno' in error && typeof error.errno === 'number' && error.errno > 0;
}

/** Too many connections: in all, and of this user. */
const FULL: ReadonlySet<number> = new Set([1040, 1203, 1226]);

const CONNECTION = /^(PROTOCOL_CONNECTION_LOST|ECONNRESET|EPIPE|ECONNABORTED|ETIMEDOUT|ERR_STREAM_.*)$/;

function notMysql(): CheckError {
  return new CheckError('not MySQL', 'at-once');
}

/**
 * What mysql2 reads from and writes to. It reads what a server sends within the event that brings it, and throws at what is not MySQL:
 * on a bare socket that would end the process.
 */
class GuardedStream extends EventEmitter {
  readonly #socket: Socket;

  constructor(socket: Socket, fail: (error: CheckError) => void) {
    super();
    this.#socket = socket;
    let length = 0;
    socket.on('data', (part) => {
      const isFirst = length === 0;
      length += part.length;
      try {
        // Who greets is packet 0. What a banner says in its place mysql2 would take for megabytes to come.
        if (isFirst && part.length > 3 && part[3] !== 0) throw notMysql();
        if (length > MAX_ANSWER) throw new CheckError('query failed', 'counted');
        this.emit('data', part);
      } catch (error) {
        fail(error instanceof CheckError ? error : notMysql());
        socket.destroy();
      }
    });
    for (const event of ['error', 'end', 'close', 'drain']) socket.on(event, (...words) => this.emit(event, ...words));
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  write(bytes: Uint8Array, written: (error?: Error | null) => void): boolean {
    return this.#socket.write(bytes, written);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}
