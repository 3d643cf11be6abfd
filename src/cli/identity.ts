import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { OptionsError } from '../options.ts';
import type { TlsIdentity } from '../wire/listener.ts';
import type { Settings } from './settings.ts';

/** Reads who the bridge is on TLS, if it is anybody. Throws `OptionsError` when it cannot be used, rather than failing at the first handshake. */
export function readIdentity({ options, origins }: Settings): TlsIdentity | undefined {
  if (options.tlsCert === '') return undefined;
  const faults: string[] = [];
  const read = (name: 'tlsCert' | 'tlsKey'): Buffer => {
    try {
      return readFileSync(options[name]);
    } catch (error) {
      faults.push(`${origins[name].place} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return Buffer.alloc(0);
    }
  };
  const [cert, key] = [read('tlsCert'), read('tlsKey')];
  if (faults.length === 0) {
    try {
      createSecureContext({ cert, key });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      faults.push(`${origins.tlsCert.place} and ${origins.tlsKey.place} do not go together: ${reason}`);
    }
  }
  if (faults.length > 0) throw new OptionsError(faults);
  return { cert, key };
}
