import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Options } from '../options.ts';
import { createServer, type Server } from '../server/server.ts';
import { systemScheduler } from '../wire/scheduler.ts';
import { readIdentity } from './identity.ts';
import type { Settings } from './settings.ts';

/** Runs the bridge with these options until SIGTERM or SIGINT. Resolves when it listens; rejects as `createServer` does. */
export async function serve(settings: Settings): Promise<void> {
  const { logLevel, tlsPort, tlsCert, tlsKey, ...given } = settings.options;
  const log = createLogger(logLevel);
  const identity = readIdentity(settings);
  const tls = identity === undefined ? {} : { tls: { ...(tlsPort !== 'none' && { port: tlsPort }), ...identity } };
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

function createLogger(level: Options['logLevel']): Logger {
  const stream = process.stderr.isTTY
    ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname' })
    : pino.destination({ dest: 2, sync: true });
  return pino({ name: 'beatbridge', level }, stream);
}
