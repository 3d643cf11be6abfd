import { type Logger, pino } from 'pino';
import type { Options, OptionsError } from '../options.ts';
import { optionRows } from '../server/option-rows.ts';
import { type Server, startServer } from '../server/server.ts';
import { watchFiles } from '../wire/file-watch.ts';
import type { TlsIdentity } from '../wire/identity.ts';
import { systemScheduler } from '../wire/scheduler.ts';
import { readIdentity } from './identity.ts';
import { IdentityFiles } from './identity-files.ts';
import type { Settings } from './settings.ts';
import { onUnwritable } from './streams.ts';
import { type Supervisor, systemdOf } from './systemd.ts';

/** Balancers and the kubelet look every few seconds. */
const DRAIN_DELAY_MS = 5_000;

/** Runs the bridge with these options until SIGTERM or SIGINT. Resolves when it listens; rejects as `createServer` does. */
export async function serve(settings: Settings): Promise<void> {
  const { logLevel, logFormat, tlsPort, tlsCert, tlsKey, tlsClientCa, drainDelayMs: delayMs, ...given } = settings.options;
  const log = await createLogger(logLevel, logFormat);
  const identity = await readIdentity(settings);
  const supervisor = systemdOf(process.env, systemScheduler, log);
  const tls = identity === undefined ? {} : { tls: { ...(tlsPort !== 'none' && { port: tlsPort }), ...identity } };
  // Where there is a terminal somebody waits for the end, and no balancer looks.
  const drainDelayMs = delayMs === 'auto' ? (process.stderr.isTTY ? 0 : DRAIN_DELAY_MS) : delayMs;
  const { options, origins } = settings;
  const rows = () => optionRows(options, (name) => origins[name].kind);
  const server = await startServer({ ...given, ...tls, drainDelayMs, log }, rows);
  // Before anybody can have read that it is ready: who waits for that may end it at once.
  closeOnSignal(server, supervisor, log);
  if (identity !== undefined) followIdentity(settings, identity, server);
  // Standard output is for programs: this line is all it ever carries. Logs go to standard error.
  onUnwritable(({ message }) => log.warn({ reason: message }, 'standard output cannot be written'));
  process.stdout.write(`${JSON.stringify({ msg: 'ready', listeners: server.listeners })}\n`);
  supervisor.ready();
  log.info({ listeners: server.listeners }, 'ready');
}

/** Whoever has written new files may say so; whoever closes a terminal means the end, as ever. */
function followIdentity({ options }: Settings, identity: TlsIdentity, server: Server): void {
  const { tlsCert, tlsKey, tlsClientCa } = options;
  const told = (next: TlsIdentity | OptionsError) => void server.renewIdentity(next);
  const files = new IdentityFiles(options, identity, { scheduler: systemScheduler, told });
  const look = () => void files.look();
  watchFiles(
    [tlsCert, tlsKey, tlsClientCa].filter((path) => path !== ''),
    systemScheduler,
    look,
  );
  if (!process.stderr.isTTY) process.on('SIGHUP', look);
}

function closeOnSignal(server: Server, supervisor: Supervisor, log: Logger): void {
  const drain = async (signal: NodeJS.Signals) => {
    // The second signal finds Node's own handling, and so ends the process at once.
    process.removeListener('SIGTERM', drain).removeListener('SIGINT', drain);
    if (process.pid === 1) endOnSignal();
    supervisor.stopping();
    try {
      await server.close(undefined, signal);
      log.info('closed');
      process.exitCode = 0;
    } catch (err) {
      log.error({ err }, 'it could not be closed in order');
      process.exitCode = 1;
    }
    // Nothing can cut a look-up of a host name short, which else keeps the process for as long as a resolver takes.
    systemScheduler.after(500, () => process.exit());
  };
  process.on('SIGTERM', drain).on('SIGINT', drain);
  if (process.env.npm_lifecycle_event === 'npx') afterParent(() => void drain('SIGTERM'));
}

/** The kernel spares the first process of a container every signal that it does not handle itself. */
function endOnSignal(): void {
  const end = (_: NodeJS.Signals, number: number) => process.exit(128 + number);
  process.on('SIGTERM', end).on('SIGINT', end);
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

/** In JSON with times in ISO 8601 and levels in words, as those who collect lines read them without being told how. */
async function createLogger(level: Options['logLevel'], format: Options['logFormat']): Promise<Logger> {
  const { isTTY } = process.stderr;
  const isPretty = format === 'auto' ? isTTY : format === 'pretty';
  const stream = isPretty
    ? (await import('pino-pretty')).default({ destination: 2, sync: true, ignore: 'pid,hostname', colorize: isTTY })
    : pino.destination({ dest: 2, sync: true });
  const formatters = { level: (label: string) => ({ level: label }) };
  return pino({ name: 'beatbridge', level, timestamp: pino.stdTimeFunctions.isoTime, formatters }, stream);
}
