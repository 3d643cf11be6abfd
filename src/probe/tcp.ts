import type { Dial } from './dial.ts';

/** Whoever takes the connection is well. */
export async function checkTcp(ip: string, port: number, dial: Dial, signal: AbortSignal): Promise<void> {
  await dial(ip, port, signal);
}
