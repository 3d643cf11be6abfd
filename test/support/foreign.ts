import { networkInterfaces } from 'node:os';

/** An address of this machine that is not loopback: whoever comes from there is from elsewhere to a server. Undefined where there is none. */
export const FOREIGN = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

/** The same port, by that address. */
export function fromElsewhere(listener: string): string {
  return `${FOREIGN}${listener.slice(listener.lastIndexOf(':'))}`;
}
