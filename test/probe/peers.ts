import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { MakeCheck, Target } from '../../src/probe/check.ts';
import { CheckError } from '../../src/probe/check.ts';
import { type CheckRules, createChecks } from '../../src/probe/checks.ts';
import type { CheckKind } from '../../src/registry/checks.ts';
import { AddressSet } from '../../src/wire/addresses.ts';

const TLS = join(import.meta.dirname, '../fixtures/tls');
/** For localhost and 127.0.0.1, signed by itself. */
export const CERT = readFileSync(join(TLS, 'cert.pem'), 'utf8');
export const KEY = readFileSync(join(TLS, 'key.pem'), 'utf8');

/** A server on a loopback address, with whatever has connected to it. */
export interface Peer extends AsyncDisposable {
  readonly port: number;
  readonly connections: number;
}

export async function listening(server: Server, host = '127.0.0.1'): Promise<Peer> {
  const open = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections++;
    open.add(socket);
    // A check ends when it knows what it wants to know.
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a server on a port has an address');
  return {
    port: address.port,
    get connections() {
      return connections;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** Says what it is told to as soon as somebody has said something. */
export function answering(answer: (socket: Socket, asked: string) => void): Promise<Peer> {
  return listening(createServer((socket) => socket.once('data', (asked) => answer(socket, asked.toString('latin1')))));
}

/** Where nobody listens any more. */
export async function deadPort(): Promise<number> {
  await using peer = await listening(createServer());
  return peer.port;
}

export const LOOPBACK = new AddressSet(['loopback']);

export function loopbackChecks(rules: Partial<CheckRules> = {}): { check: MakeCheck } & AsyncDisposable {
  const { check, close } = createChecks({ allow: LOOPBACK, resolveNames: false, ...rules });
  return { check, [Symbol.asyncDispose]: close };
}

/** `passes`, or why not and what that means. What is thrown must say nothing else. */
export async function outcomeOf(making: Promise<void>): Promise<string> {
  try {
    await making;
    return 'passes';
  } catch (error) {
    if (!(error instanceof CheckError)) throw error;
    // Why this process could not, its log may say.
    const hasCause = error.cause !== undefined && error.weight !== 'unheard';
    if (error.message !== error.reason || hasCause) throw new Error(`says too much: ${error.message}`);
    return `${error.reason}, ${error.weight}`;
  }
}

export function target(port: number, check: CheckKind, ip = '127.0.0.1'): Target {
  return { ip, port, check };
}

/** Aborts by itself only in a test that would else hang for ever. */
export function patience(): AbortSignal {
  return AbortSignal.timeout(20_000);
}

/** As it goes over the wire. */
export function mysqlPacket(sequence: number, payload: string): Buffer {
  const bytes = Buffer.from(payload, 'latin1');
  return Buffer.concat([Buffer.from([bytes.length & 0xff, bytes.length >> 8, 0, sequence]), bytes]);
}

/** The first packet of a server. */
export const MYSQL_HELLO = [
  `\n8.0.0\x00\x01\x00\x00\x00${'s'.repeat(8)}\x00`,
  // What it can do: name its way to log in, and neither TLS nor compression.
  `\xdf\xf7\x21\x02\x00\x08\x00\x15${'\x00'.repeat(10)}${'t'.repeat(12)}\x00`,
  'mysql_native_password\x00',
].join('');
