import { join } from 'node:path';
import { inject } from 'vitest';
import type { Listeners } from '../../src/index.ts';
import { type Process, startProcess } from '../support/process.ts';
import { register } from '../support/server.ts';
import type { ToolName } from './tools.ts';

/** Clients of HTTP/2 that are neither Nacos's nor gRPC's own, and the bridges that they ask. */

export interface Http2Client {
  /** The program around it and its arguments; undefined where it could not be built. */
  readonly command: readonly string[] | undefined;
  readonly isSecure: boolean;
  /** The first GOAWAY is the end of everything to it: what comes with it, or after it, it takes for a fault. */
  readonly endsAtGoaway?: boolean;
  /** Its calls take turns to read: where many are silent, one that is answered need not hear of it. Nor does it tell when it breaks one off. */
  readonly readsInTurn?: boolean;
}

const tools = inject('tools');

const HERE = import.meta.dirname;
const TLS = join(HERE, '../fixtures/tls');
/** The certificate of the TLS port: it names localhost and 127.0.0.1, and is its own authority. */
export const CERTIFICATE = join(TLS, 'cert.pem');

/** With windows as small as it lets them be: the JDK's own are of 16 MiB and more. */
const JVM = ['-XX:TieredStopAtLevel=1', '-Djdk.httpclient.windowsize=16384', '-Djdk.httpclient.connectionWindowSize=65535'];

export function python(client: 'h2' | 'httpx', ...options: readonly string[]): readonly string[] | undefined {
  const { path } = tools.pythonHttp2;
  return path === undefined ? undefined : [path, join(HERE, 'clients/python-http2/driver.py'), client, ...options];
}

function java(client: 'okhttp' | 'jdk', ...options: readonly string[]): readonly string[] | undefined {
  const { path } = tools.javaHttp2;
  return path === undefined
    ? undefined
    : ['java', ...JVM, '-cp', `${path}/classes:${path}/lib/*`, 'Http2Driver', client, ...options];
}

const TRUST = ['--ca', CERTIFICATE];

export const HTTP2_CLIENTS: Readonly<Record<string, Http2Client>> = {
  OkHttp: { command: java('okhttp'), isSecure: false },
  'OkHttp over TLS': { command: java('okhttp', ...TRUST), isSecure: true },
  'the client of the JDK over TLS': { command: java('jdk', ...TRUST), isSecure: true },
  httpx: { command: python('httpx'), isSecure: false, endsAtGoaway: true, readsInTurn: true },
  'httpx over TLS': { command: python('httpx', ...TRUST), isSecure: true, endsAtGoaway: true, readsInTurn: true },
  h2: { command: python('h2'), isSecure: false, endsAtGoaway: true },
  'h2 over TLS': { command: python('h2', ...TRUST), isSecure: true, endsAtGoaway: true },
};

/** The names of those whose tool is missing are not asked for: `tools.ts` names it; with INTEROP=all that fails the run. */
export function isMissing(...names: readonly ToolName[]): boolean {
  return names.some((name) => tools[name].path === undefined);
}

/** A bridge with a port for TLS beside the others. */
export function startBridge(...more: readonly string[]): Promise<Process> {
  const ports = ['--host', '127.0.0.1', '--port', '0', '--grpc-port', '0', '--health-port', '0', '--tls-port', '0'];
  return startProcess([...ports, '--probes', 'false', '--tls-cert', CERTIFICATE, '--tls-key', join(TLS, 'key.pem'), ...more]);
}

export function addressOf({ listeners }: { readonly listeners: Listeners }, isSecure: boolean): string {
  const address = isSecure ? listeners.tls : listeners.main;
  if (address === undefined) throw new Error('there is no such port');
  return address;
}

const AT_ONCE = 50;

/** Registers services of such long names that their list takes many windows of flow control. Answers the names. */
export async function fill(bridge: Process): Promise<readonly string[]> {
  const names = Array.from({ length: 1_000 }, (_, i) => `${'a-service-with-a-long-name.'.repeat(11)}${i}`);
  for (let i = 0; i < names.length; i += AT_ONCE)
    await Promise.all(names.slice(i, i + AT_ONCE).map((name) => register(bridge, name, { ephemeral: 'false' })));
  return names;
}
