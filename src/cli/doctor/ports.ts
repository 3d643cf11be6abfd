import { once } from 'node:events';
import { createServer } from 'node:net';
import { OPTIONS, type Options } from '../../options.ts';
import { ClientError } from '../client/failures.ts';
import { textFrom } from '../client/http.ts';
import type { Target } from '../client/target.ts';
import { type Finding, fail, ok } from './finding.ts';
import { type Owner, ownerOfPort } from './owners.ts';

const PORTS = ['port', 'grpcPort', 'healthPort', 'tlsPort'] as const;

export interface PortsSeen {
  readonly findings: readonly Finding[];
  /** A beatbridge that listens on one of them, where its process can be seen. */
  readonly running: Owner | undefined;
}

/** Whether the ports can be had, and else who has them. One that is taken by a beatbridge is as it should be. */
export async function lookAtPorts(options: Options, probe: Omit<Target, 'addr' | 'where' | 'tls'>): Promise<PortsSeen> {
  const findings: Finding[] = [];
  let running: Owner | undefined;
  for (const name of PORTS) {
    const port = options[name];
    if (port === 'none' || port === 0) continue;
    const check = `port ${port}`;
    const { flag } = OPTIONS[name];
    const trouble = await troubleOf(options.host, port);
    if (trouble === undefined) {
      findings.push(ok(check, `free (${flag})`));
      continue;
    }
    if (trouble !== 'EADDRINUSE') {
      findings.push(
        fail(check, `cannot be had on ${options.host}: ${REASONS.get(trouble) ?? trouble}`, `choose another: ${flag}, --host`),
      );
      continue;
    }
    const owner = ownerOfPort(port);
    const by = owner === undefined ? 'somebody who cannot be seen from here' : `${owner.program} (pid ${owner.pid})`;
    if (owner?.isBeatbridge === true || (await isBeatbridge(options.host, port, probe))) {
      findings.push(ok(check, `taken by a beatbridge${owner === undefined ? '' : ` (pid ${owner.pid})`} (${flag})`));
      running ??= owner;
    } else findings.push(fail(check, `taken by ${by} (${flag})`, `end that, or choose another: ${flag}`));
  }
  return { findings, running };
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'no permission for this port'],
  ['EADDRNOTAVAIL', 'this machine has no such address'],
  ['EAFNOSUPPORT', 'this machine has no addresses of that family'],
  ['ENOTFOUND', 'there is no such name'],
]);

/** The system's word for why one cannot listen there; undefined when one can. */
async function troubleOf(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  } finally {
    server.close();
  }
}

/** Whoever else has the port may never answer. */
const ANSWERS_WITHIN_MS = 2_000;

/** Nobody else answers so. */
async function isBeatbridge(host: string, port: number, probe: Omit<Target, 'addr' | 'where' | 'tls'>): Promise<boolean> {
  const where = { host: reachable(host), port };
  try {
    const asked = { addr: `${where.host}:${port}`, where, tls: undefined, authorization: undefined };
    const target = { ...probe, ...asked, connectTimeoutMs: ANSWERS_WITHIN_MS, rpcTimeoutMs: ANSWERS_WITHIN_MS };
    const said = await textFrom(target, { method: 'GET', path: '/livez', headers: { accept: 'application/json' } });
    return said.includes('"status":"alive"');
  } catch (error) {
    if (error instanceof ClientError) return false;
    throw error;
  }
}

/** Where one asks what listens on every address. */
export function reachable(host: string): string {
  return host === '::' || host === '0.0.0.0' ? '127.0.0.1' : host;
}
