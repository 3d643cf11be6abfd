import type { Socket } from 'node:net';

/**
 * Both ends of a connection: no two that are open have the same. From one port of a peer there may be one to each address of this machine.
 */
export function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
