import { readFile } from 'node:fs/promises';
import { type Options, OptionsError } from '../options.ts';
import { faultsOf, type TlsIdentity } from '../wire/identity.ts';
import type { Settings } from './settings.ts';

/** The files of TLS, or what each of them is called. */
export interface IdentityPaths extends Pick<Options, 'tlsCert' | 'tlsKey' | 'tlsClientCa'> {}

/** Reads who the bridge is on TLS, if it is anybody. Rejects with `OptionsError` when it cannot be used, rather than failing at the first handshake. */
export async function readIdentity({ options, origins }: Settings): Promise<TlsIdentity | undefined> {
  if (options.tlsCert === '') return undefined;
  const { tlsCert, tlsKey, tlsClientCa } = origins;
  const places = { tlsCert: tlsCert.place, tlsKey: tlsKey.place, tlsClientCa: tlsClientCa.place };
  const read = await readParts(options, places);
  const faults = read instanceof OptionsError ? read.faults : identityFaultsOf(read, places);
  if (read instanceof OptionsError || faults.length > 0) throw new OptionsError(faults);
  return read;
}

/** What is in the files, good or not; or why one cannot be read. `places`: what each is called in a fault. */
export async function readParts(paths: IdentityPaths, places: IdentityPaths): Promise<TlsIdentity | OptionsError> {
  const faults: string[] = [];
  const read = async (name: keyof IdentityPaths): Promise<Buffer> => {
    try {
      return await readFile(paths[name]);
    } catch (error) {
      faults.push(`${places[name]} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return Buffer.alloc(0);
    }
  };
  const pair = { cert: await read('tlsCert'), key: await read('tlsKey') };
  const identity = paths.tlsClientCa === '' ? pair : { ...pair, clientCa: await read('tlsClientCa') };
  return faults.length > 0 ? new OptionsError(faults) : identity;
}

/** Each begins with what the files are called. */
export function identityFaultsOf(identity: TlsIdentity, { tlsCert, tlsKey, tlsClientCa }: IdentityPaths): readonly string[] {
  return faultsOf(identity, {
    cert: `${tlsCert} must be a certificate in PEM`,
    key: `${tlsKey} must be a private key in PEM`,
    pair: `${tlsCert} and ${tlsKey} do not go together`,
    clientCa: `${tlsClientCa} must be certificates in PEM`,
  });
}
