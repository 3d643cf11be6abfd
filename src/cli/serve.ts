import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { OPTIONS, type Options, OptionsError } from '../options.ts';
import { createServer, type Server } from '../server/server.ts';
import { systemScheduler } from '../wire/scheduler.ts';

/** Runs the bridge with these options until SIGTERM or SIGINT. Resolves when it listens; rejects as `createServer` does. */
export async function serve(options: Options): Promise<void> {
  const { logLevel, tlsPort, tlsCert, tlsKey, ...given } = options;
  const log = createLogger(logLevel);
  const tls = tlsCert === '' ? {} : { tls: { ...(tlsPort !== 'none' && { port: tlsPort }), ...readIdentity(tlsCert, tlsKey) } };
  const server = await createServer({ ...given, ...tls, log });
  // Before anybody can have read that it is ready: who waits for that may end it at once.
  closeOnSignal(server, log);
  // Standard output is for programs: this line is all it ever carries. Logs go to standard error.
  process.stdout.write(`${JSON.stringify({ msg: 'ready', listeners: server.listeners })}\n`);
  log.info({ listeners: server.listeners }, 'ready');
}

function closeOnSignal(server: Server, log: Logger): void {
  const drain = async (signal: NodeJS.Signals) => {
    // The second signal finds Node's own handling, and so ends the process at once.
    process.removeListener('SIGTERM', drain).removeListener('SIGINT', drain);
    log.info({ signal }, 'draining');
    await server.close();
    log.info('closed');
    process.exitCode = 0;
    // Nothing can cut a look-up of a host name short, which else keeps the process for as long as a resolver takes.
    systemScheduler.after(500, () => process.exit());
  };
  process.on('SIGTERM', drain).on('SIGINT', drain);
  if (process.env.npm_lifecycle_event === 'npx') afterParent(() => void drain('SIGTERM'));
}

/**
 * npx runs a program in a shell and hands signals on to that. Where the shell does not hand them on (dash, which is Debian's), it is the
 * shell that dies, and the program would live on: so the end of the shell is a signal too.
 */
function afterParent(run: () => void): void {
  const parent = process.ppid;
  const stop = systemScheduler.every(100, () => {
    if (process.ppid === parent) return;
    stop();
    run();
  });
}

/** Throws `OptionsError` when it cannot be used, rather than failing at the first handshake. */
function readIdentity(certFile: string, keyFile: string): { readonly cert: Buffer; readonly key: Buffer } {
  const { tlsCert, tlsKey } = OPTIONS;
  const faults: string[] = [];
  const read = (flag: string, file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (error) {
      faults.push(`${flag} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return Buffer.alloc(0);
    }
  };
  const [cert, key] = [read(tlsCert.flag, certFile), read(tlsKey.flag, keyFile)];
  if (faults.length === 0) {
    try {
      createSecureContext({ cert, key });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      faults.push(`${tlsCert.flag} and ${tlsKey.flag} do not go together: ${reason}`);
    }
  }
  if (faults.length > 0) throw new OptionsError(faults);
  return { cert, key };
}

function createLogger(level: Options['logLevel']): Logger {
  const stream = process.stderr.isTTY
    ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname' })
    : pino.destination({ dest: 2, sync: true });
  return pino({ name: 'beatbridge', level }, stream);
}
