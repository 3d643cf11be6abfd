import { connect, type Socket } from 'node:net';
import { type AddressSet, addressBytes, addressText } from '../wire/addresses.ts';
import { CheckError, timedOut } from './check.ts';
import type { Lookups } from './lookups.ts';
import { mayBeDialled } from './reach.ts';

/**
 * Makes every socket of every check, and so is the one place that decides whom checks may reach. What it connects to is the address that it
 * has just judged, written out anew: no resolver comes between.
 */

/**
 * A connection to a port. It is destroyed when `signal` aborts, which it does with a `CheckError` and before it is forgotten; and an error
 * on it that nobody hears of hurts nobody.
 */
export type Dial = (ip: string, port: number, signal: AbortSignal) => Promise<Socket>;

export interface DialRules {
  /** What may be dialled beyond the default. */
  readonly allow: AddressSet;
  readonly resolveNames: boolean;
}

export function createDial({ allow, resolveNames }: DialRules, lookups: Lookups): Dial {
  const judge = (address: Uint8Array) => {
    if (!mayBeDialled(address, allow)) throw notAllowed();
    return address;
  };
  const resolve = async (name: string, signal: AbortSignal) => {
    if (!resolveNames) throw new CheckError('host names are not resolved', 'impossible');
    const found = (await lookups.addressesOf(name, signal)).flatMap((text) => literalBytes(text) ?? []);
    const first = found.find((address) => mayBeDialled(address, allow));
    if (first === undefined) throw notAllowed();
    return first;
  };
  return async (ip, port, signal) => {
    if (!(Number.isInteger(port) && port >= 1 && port <= 65_535)) throw new CheckError('check failed', 'impossible');
    const address = literalBytes(ip) ?? (await resolve(ip, signal));
    if (signal.aborted) throw timedOut();
    return connected(judge(address), port, signal);
  };
}

/** As it stands in a Host header or an authority. */
export function hostText(ip: string): string {
  const address = literalBytes(ip);
  if (address === undefined) return ip;
  const text = addressText(address);
  return text.includes(':') ? `[${text}]` : text;
}

/** What is written out as an address and means the same everywhere: with a zone it does not. */
export function literalBytes(text: string): Uint8Array | undefined {
  return text.includes('%') ? undefined : addressBytes(text);
}

function connected(address: Uint8Array, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const host = addressText(address);
    const socket = connect({ host, port });
    let isPending = true;
    const abort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    // Stays for as long as the socket does.
    socket.on('error', (error) => isPending && reject(connectTrouble(error)));
    socket.once('close', () => isPending && reject(new CheckError('connection ended', 'counted')));
    socket.once('connect', () => {
      isPending = false;
      // Undefined: the other side has closed it again already.
      const remote = socket.remoteAddress === undefined ? undefined : addressBytes(socket.remoteAddress);
      if (remote === undefined || addressText(remote) === host) return resolve(socket);
      socket.destroy();
      return reject(notAllowed());
    });
  });
}

function connectTrouble(error: Error): CheckError {
  if (error instanceof CheckError) return error;
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return new CheckError('refused', 'at-once');
  if (OUR_WANT.has(code)) return new CheckError('check failed', 'unheard', { cause: error });
  // Of a family that this machine has no address of.
  if (code === 'EADDRNOTAVAIL') return new CheckError('check failed', 'impossible');
  return new CheckError('connection failed', 'counted');
}

/** What this process or machine lacks, which says nothing of the other side. */
const OUR_WANT: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRINUSE']);

function notAllowed(): CheckError {
  return new CheckError('address not allowed', 'impossible');
}
