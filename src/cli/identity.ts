import { readFileSync } from 'node:fs';
import { OptionsError } from '../options.ts';
import { identityFaults, type TlsIdentity } from '../wire/identity.ts';
import type { Settings } from './settings.ts';

/** Something for each of the files. */
type OfFiles<T> = Readonly<Record<'tlsCert' | 'tlsKey' | 'tlsClientCa', T>>;

/** Reads who the bridge is on TLS, if it is anybody. Throws `OptionsError` when it cannot be used, rather than failing at the first handshake. */
export function readIdentity({ options, origins }: Settings): TlsIdentity | undefined {
  if (options.tlsCert === '') return undefined;
  const faults: string[] = [];
  const read = (name: keyof OfFiles<string>): Buffer => {
    try {
      return readFileSync(options[name]);
    } catch (error) {
      faults.push(`${origins[name].place} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return Buffer.alloc(0);
    }
  };
  const pair = { cert: read('tlsCert'), key: read('tlsKey') };
  const identity = options.tlsClientCa === '' ? pair : { ...pair, clientCa: read('tlsClientCa') };
  const { tlsCert, tlsKey, tlsClientCa } = origins;
  const places = { tlsCert: tlsCert.place, tlsKey: tlsKey.place, tlsClientCa: tlsClientCa.place };
  if (faults.length === 0) faults.push(...faultsOf(identity, places));
  if (faults.length > 0) throw new OptionsError(faults);
  return identity;
}

/** Each begins with what the files are called. */
export function faultsOf(identity: TlsIdentity, { tlsCert, tlsKey, tlsClientCa }: OfFiles<string>): readonly string[] {
  const must = {
    cert: `${tlsCert} must be a certificate in PEM`,
    key: `${tlsKey} must be a private key in PEM`,
    pair: `${tlsCert} and ${tlsKey} do not go together`,
    clientCa: `${tlsClientCa} must be certificates in PEM`,
  };
  return identityFaults(identity).map(({ part, reason }) => `${must[part]}: ${reason}`);
}
