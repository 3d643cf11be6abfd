import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Options, OptionsError } from '../options.ts';
import type { TlsIdentity } from '../wire/identity.ts';
import { oneAtATime } from '../wire/one-at-a-time.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';
import { faultsOf } from './identity.ts';

export interface IdentityPaths extends Pick<Options, 'tlsCert' | 'tlsKey' | 'tlsClientCa'> {}

export interface FollowOptions {
  readonly scheduler: Pick<Scheduler, 'after'>;
  /** Hears of each new identity; or, of files that are no good for longer than it takes to write them, why not. */
  readonly told: (next: TlsIdentity | OptionsError) => void;
}

/**
 * The files of TLS while the process runs. A certificate and its key are seldom replaced in one step: what cannot be read, or does not go
 * together yet, may be half of a change: it is looked at again some seconds later before anybody is told that it is wrong.
 */
export class IdentityFiles {
  readonly #paths: IdentityPaths;
  readonly #options: FollowOptions;
  /** Of the files whose content was told last, good or not. */
  #toldOf: string;
  #isStopped = false;
  /** Something is wrong, and for how long it may be. */
  #waiting: Cancel | undefined;
  #isPatient = true;

  /** `current`: what was read of these files. */
  constructor(paths: IdentityPaths, current: TlsIdentity, options: FollowOptions) {
    this.#paths = paths;
    this.#options = options;
    this.#toldOf = digestOf(current);
  }

  /** Reads them, and tells what is new; resolves when that is done. Called meanwhile, it reads once more. */
  readonly look = oneAtATime(() => this.#lookOnce());

  stop(): void {
    this.#isStopped = true;
    this.#waiting?.();
  }

  async #lookOnce(): Promise<void> {
    const read = await this.#read();
    if (this.#isStopped) return;
    const digest = digestOf(read);
    const next = read instanceof OptionsError ? read : this.#checked(read);
    const isNew = digest !== this.#toldOf;
    if (isNew && next instanceof OptionsError && this.#isPatient) {
      this.#waiting ??= this.#options.scheduler.after(PATIENCE_MS, () => {
        this.#isPatient = false;
        void this.look();
      });
      return;
    }
    this.#waiting?.();
    this.#waiting = undefined;
    this.#isPatient = true;
    if (!isNew) return;
    this.#toldOf = digest;
    this.#options.told(next);
  }

  #checked(identity: TlsIdentity): TlsIdentity | OptionsError {
    const faults = faultsOf(identity, this.#paths);
    return faults.length > 0 ? new OptionsError(faults) : identity;
  }

  async #read(): Promise<TlsIdentity | OptionsError> {
    const { tlsCert, tlsKey, tlsClientCa } = this.#paths;
    const faults: string[] = [];
    const read = async (path: string): Promise<Buffer> => {
      try {
        return await readFile(path);
      } catch (error) {
        faults.push(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
        return Buffer.alloc(0);
      }
    };
    const pair = { cert: await read(tlsCert), key: await read(tlsKey) };
    const identity = tlsClientCa === '' ? pair : { ...pair, clientCa: await read(tlsClientCa) };
    return faults.length > 0 ? new OptionsError(faults) : identity;
  }
}

export const PATIENCE_MS = 5_000;

/** Of what was read, or of why it was not. */
function digestOf(read: TlsIdentity | OptionsError): string {
  const parts = read instanceof OptionsError ? read.faults : [read.cert, read.key, read.clientCa ?? ''];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(createHash('sha256').update(part).digest());
  return hash.digest('base64');
}
