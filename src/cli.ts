#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { Command, Option } from 'commander';
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { type Config, ConfigError, type LogLevel, OPTIONS, readConfig } from './config.ts';
import { createServer, ListenError } from './server/server.ts';

/** The process and nothing else: arguments and environment -> config -> server -> signals -> exit code. */

const EXIT_USAGE = 2;
const EXIT_LISTEN = 3;

const program = new Command('beatbridge')
  .description('Heartbeats in, standard health out: a Nacos-compatible registry that answers grpc.health.v1.Health.')
  .version(readVersion())
  .configureOutput({ writeErr: (text) => process.stderr.write(text) })
  .exitOverride();

const serveCommand = program
  .command('serve', { isDefault: true })
  .description('run the bridge until SIGTERM or SIGINT')
  .action((given: Readonly<Record<string, string>>) => serve(given));
/** What commander calls an option that config.ts calls otherwise. */
const attributes = new Map<string, keyof Config>();
for (const [name, { flag, placeholder, help, env, default: value }] of Object.entries(OPTIONS)) {
  const option = new Option(`${flag} <${placeholder}>`, `${help} (env ${env}, default ${value})`);
  // The keys of OPTIONS are those of Config, by its type.
  attributes.set(option.attributeName(), name as keyof Config);
  serveCommand.addOption(option);
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

async function serve(given: Readonly<Record<string, string>>): Promise<void> {
  const flags: Partial<Record<keyof Config, string>> = {};
  for (const [attribute, text] of Object.entries(given)) {
    const name = attributes.get(attribute);
    if (name !== undefined) flags[name] = text;
  }
  const { logLevel, dataDir: _, tlsPort, tlsCert, tlsKey, ...options } = readConfig(flags, process.env);
  const log = createLogger(logLevel);
  const tls = tlsCert === '' ? {} : { tls: { ...(tlsPort !== 'none' && { port: tlsPort }), ...readIdentity(tlsCert, tlsKey) } };
  const server = await createServer({ ...options, ...tls, log });
  // Standard output is for programs: this line is all it ever carries. Logs go to standard error.
  process.stdout.write(`${JSON.stringify({ msg: 'ready', listeners: server.listeners })}\n`);
  log.info({ listeners: server.listeners }, 'ready');

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, async () => {
      // The second signal finds Node's own handling, and so ends the process at once.
      process.removeAllListeners('SIGTERM').removeAllListeners('SIGINT');
      log.info({ signal }, 'draining');
      await server.close();
      log.info('closed');
      process.exitCode = 0;
    });
  }
}

/** Throws `ConfigError` when it cannot be used, rather than failing at the first handshake. */
function readIdentity(certFile: string, keyFile: string): { readonly cert: Buffer; readonly key: Buffer } {
  const problems: string[] = [];
  const read = (flag: string, file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (error) {
      problems.push(`${flag} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return Buffer.alloc(0);
    }
  };
  const [cert, key] = [read(OPTIONS.tlsCert.flag, certFile), read(OPTIONS.tlsKey.flag, keyFile)];
  if (problems.length === 0) {
    try {
      createSecureContext({ cert, key });
    } catch (error) {
      problems.push(`--tls-cert and --tls-key do not go together: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { cert, key };
}

function createLogger(level: LogLevel): Logger {
  const stream = process.stderr.isTTY
    ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname' })
    : pino.destination({ dest: 2, sync: true });
  return pino({ name: 'beatbridge', level }, stream);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) {
    for (const problem of error.problems) process.stderr.write(`beatbridge: ${problem}\n`);
    return EXIT_USAGE;
  }
  if (error instanceof ListenError) {
    process.stderr.write(`beatbridge: ${error.message}\n`);
    return EXIT_LISTEN;
  }
  // Commander has said what is wrong, or has printed what was asked for.
  if (error instanceof Error && 'exitCode' in error) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  throw error;
}

function readVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return manifest.version;
}
