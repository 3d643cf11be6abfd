import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { AskedOverGrpc } from '../access/asked-over-grpc.ts';
import { AskedOverHttp } from '../access/asked-over-http.ts';
import { type AccessRooms, type AccessSettings, accessFaults, createAccess, startNotices } from '../access/create-access.ts';
import { deriveByScrypt } from '../access/passwords.ts';
import { partsOf } from '../access/places.ts';
import { type Told, toldLine } from '../access/refused-callers.ts';
import { keptSecret, readSecret, type SecretRead } from '../access/secrets.ts';
import { hiddenNotice, LOOK_AGAIN_MS, type Loaded, userFileFaults } from '../access/user-loads.ts';
import { type Options, OptionsError } from '../options.ts';
import { AddressSet, addressBytes } from '../wire/addresses.ts';
import { watchFiles } from '../wire/file-watch.ts';
import type { LineBudget } from '../wire/line-budget.ts';
import { oneAtATime } from '../wire/one-at-a-time.ts';
import type { Refused } from '../wire/refused.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';
import { shown } from '../wire/shown.ts';
import { readUserFileApart } from './user-file-thread.ts';

/**
 * Who is let in, by the options: makes access with its secrets and its users, and says of it what an operator is to know. It holds no
 * rule of who may do what, and answers nobody.
 */
export interface Door extends AccessRooms {
  readonly settings: AccessSettings;
  readonly close: () => void;
  /** How it stands: who is let in, how many were not, and whether users are as their file has them. */
  readonly look: () => { readonly ok: boolean; readonly says: string };
  /** What to say at the start, once it is known who there is, each in a line. */
  readonly notices: () => readonly string[];
}

export interface DoorMeans {
  readonly options: Options;
  readonly scheduler: Scheduler;
  readonly now: () => number;
  readonly wallClock: () => number;
  readonly log: Logger;
  /** There is a TLS port. */
  readonly hasTls: boolean;
  /** Where it is counted that somebody was refused; nowhere when left out. */
  readonly refused?: Refused | undefined;
  /** How many lines of callers there is room for; as many as there are when left out. */
  readonly lines?: Pick<LineBudget, 'take'> | undefined;
}

/** The directory of the store is there by now, if there is to be one. Rejects with `OptionsError`. */
export async function openDoor({ options, scheduler, now, wallClock, log, hasTls, refused, lines }: DoorMeans): Promise<Door> {
  const faults: string[] = [];
  const settings = { ...(await settingsOf(options, faults)), passwordsNeedTls: hasTls };
  if (faults.length === 0) faults.push(...accessFaults(settings));
  const rooms = createAccess(
    // One that nobody has is as good as none: it is not served.
    faults.length === 0 ? settings : { ...settings, auth: false },
    {
      derive: deriveByScrypt,
      randomness: randomBytes,
      now,
      wallClock,
      scheduler,
      readLarge: readUserFileApart,
      // However many there are: /events and /readyz count them.
      tell: (told) => {
        if (lines?.take() ?? true) tell(log, told);
      },
      refused,
      onError: (err) => log.error({ err }, 'access failed'),
    },
  );
  const { userFile } = options;
  let trouble: readonly string[] = [];
  const heard = (faults: readonly string[]) => {
    trouble = faults;
  };
  const unfollow = userFile === '' ? () => {} : await followUsers(userFile, { rooms, scheduler, log, faults, heard });
  if (faults.length > 0) {
    unfollow();
    throw new OptionsError(faults);
  }
  const isBoundBeyondLoopback = !isLoopback(options.host);
  const keepsUsers = userFile !== '' || options.dataDir !== 'none';
  return {
    ...rooms,
    settings,
    close: () => {
      unfollow();
      rooms.refusedCallers.stop();
    },
    look() {
      const says = `${modeOf(settings)}, ${refusalsIn(rooms.refusedCallers.counts)}`;
      // A file that is not in force yet is looked into by somebody: as with a certificate, only not by its faults, which name users.
      return trouble.length === 0
        ? { ok: true, says }
        : { ok: false, says: `${says}, the new user file cannot be taken: see the log` };
    },
    notices: () => {
      const said = [
        ...startNotices(settings, { isBoundBeyondLoopback, hasAdmin: rooms.users.hasAdmin, keepsUsers }),
        hiddenNotice(rooms.users.hidden()),
      ];
      return said.filter((one) => one !== undefined);
    },
  };
}

/** What files would keep a server from its start, where it asks for logins: nothing is made, and no password is looked at. */
export async function doorFaults(options: Options): Promise<readonly string[]> {
  const faults: string[] = [];
  const settings = { ...(await settingsOf(options, faults, existingSecret)), passwordsNeedTls: false };
  // One that would be made is as it should be.
  const secrets = settings.secrets.length > 0 ? settings.secrets : [randomBytes(32)];
  if (faults.length === 0) faults.push(...accessFaults({ ...settings, secrets }));
  const { userFile } = options;
  if (userFile !== '') faults.push(...inFile(userFile, await userFileFaults(userFile)));
  return faults;
}

function inFile(userFile: string, faults: readonly string[]): readonly string[] {
  return faults.map((fault) => `--user-file ${userFile}: ${fault}`);
}

/** Undefined: there is none yet. */
async function existingSecret(path: string): Promise<SecretRead | undefined> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  return isThere ? readSecret(path) : undefined;
}

interface Following {
  readonly rooms: AccessRooms;
  readonly scheduler: Scheduler;
  readonly log: Logger;
  /** Hears what is wrong with the file at the start. */
  readonly faults: string[];
  /** Hears what is wrong with it later on; nothing, once it is in force. */
  readonly heard: (faults: readonly string[]) => void;
}

/**
 * Puts the file in force, now and whenever it is another one. What is wrong with it later is told, and everybody stays as he is: there are
 * never fewer users, or none, by mistake.
 */
async function followUsers(path: string, { rooms, scheduler, log, faults, heard }: Following): Promise<Cancel> {
  let isFirst = true;
  let again: Cancel | undefined;
  const look = oneAtATime(async () => {
    const loaded = await rooms.loadUsers(path);
    if (loaded === undefined) return;
    if (loaded === 'unsettled') {
      again?.();
      again = scheduler.after(LOOK_AGAIN_MS, lookAnew);
      return;
    }
    if (isFirst) faults.push(...inFile(path, loaded.faults));
    else {
      heard(loaded.faults);
      tellLoaded(log, loaded, hiddenNotice(rooms.users.hidden()));
    }
    isFirst = false;
    for (const warning of loaded.warnings) log.warn(`--user-file ${path}: ${warning}`);
  });
  function lookAnew(): void {
    look().catch((err) => log.error({ err }, 'the user file could not be read anew'));
  }
  // Before it is read: what is written meanwhile is news.
  const unwatch = watchFiles([path], scheduler, lookAnew);
  const unfollow = () => {
    unwatch();
    again?.();
  };
  await look().catch((error) => {
    unfollow();
    throw error;
  });
  return unfollow;
}

function tellLoaded(log: Logger, { faults }: Loaded, hidden: string | undefined): void {
  if (faults.length > 0) log.error({ faults }, 'the user file has changed and cannot be taken: users stay as they were');
  else log.info('the user file was read anew');
  if (faults.length === 0 && hidden !== undefined) log.warn(hidden);
}

function modeOf({ auth, openWrites, trust, trustOperate }: AccessSettings): string {
  if (auth) return 'logins';
  if (openWrites) return trustOperate ? 'anyone may write and operate' : 'anyone may write';
  return trust.length === 0 ? 'this machine may write' : 'this machine and trusted addresses may write';
}

function refusalsIn(counts: ReadonlyMap<string, number>): string {
  const parts = [...counts].map(([reason, count]) => `${count} ${reason}`);
  return parts.length === 0 ? 'nobody refused' : `refused: ${parts.join(', ')}`;
}

type Keep = (path: string) => Promise<SecretRead | undefined>;

async function settingsOf(
  options: Options,
  faults: string[],
  keep: Keep = (path) => keptSecret(path, randomBytes),
): Promise<Omit<AccessSettings, 'passwordsNeedTls'>> {
  const { auth, openWrites, trustReads, trustWrites, trustOperate, protectReads, healthAuth } = options;
  return {
    auth,
    openWrites,
    trustReads,
    trustWrites,
    trustOperate,
    protectReads,
    healthAuth,
    trust: partsOf(options.trust),
    trustedProxies: partsOf(options.trustedProxy),
    pages: { hosts: [...partsOf(options.allowHost), hostname()], origins: partsOf(options.allowOrigin) },
    secrets: auth ? await secretsOf(options, faults, keep) : [],
    tokenTtlSeconds: options.tokenTtlSeconds,
  };
}

/** The one that signs first. */
async function secretsOf(options: Options, faults: string[], keep: Keep): Promise<Uint8Array[]> {
  const { authSecretFile, authSecretPreviousFile, dataDir } = options;
  const read: [place: string, SecretRead][] = [];
  if (authSecretFile !== '') read.push([`--auth-secret-file ${authSecretFile}`, await readSecret(authSecretFile)]);
  else if (dataDir === 'none')
    faults.push('--auth needs a secret that outlives a restart: --auth-secret-file, or a --data-dir to keep one in');
  else {
    const path = join(dataDir, KEPT_SECRET);
    const kept = await keep(path);
    if (kept !== undefined) read.push([`the secret of --auth in ${path}`, kept]);
  }
  if (authSecretPreviousFile !== '')
    read.push([`--auth-secret-previous-file ${authSecretPreviousFile}`, await readSecret(authSecretPreviousFile)]);
  return read.flatMap(([place, one]) => {
    if ('secret' in one) return [one.secret];
    faults.push(`${place}: ${one.fault}`);
    return [];
  });
}

/** In the directory of the store, which leaves alone what is not its own. */
const KEPT_SECRET = 'auth-secret';

function isLoopback(host: string): boolean {
  const bytes = addressBytes(host);
  return host === 'localhost' || (bytes !== undefined && LOOPBACK.has(bytes));
}

const LOOPBACK = new AddressSet(['loopback']);

/** The one place where operators hear of it: half of the clients show nobody what they were told. */
function tell(log: Logger, told: Told): void {
  const { what, address, client, need, reason, count, example } = told;
  log.warn({ what, address, client: shown(client), need, reason, count, example: shown(example) }, shown(toldLine(told)));
}

/** Asks the access of the house in the words of the surface of Nacos. */
export function gateOf({ access }: AccessRooms) {
  type Http = ConstructorParameters<typeof AskedOverHttp>;
  type Grpc = ConstructorParameters<typeof AskedOverGrpc>;
  type Need = Parameters<AccessRooms['access']['admit']>[0];
  type Pair = Parameters<AccessRooms['access']['login']>[1];
  return {
    admit: (need: Need, req: Http[0], call: Http[1]) => access.admit(need, new AskedOverHttp(req, call)),
    refusalByHead: (need: Need, req: Http[0], call: Http[1], mayBringLogin: boolean) =>
      access.refusalByHead(need, new AskedOverHttp(req, call), mayBringLogin),
    wouldAdmit: (need: Exclude<Need, undefined>, req: Http[0], call: Http[1]) =>
      access.wouldAdmit(need, new AskedOverHttp(req, call)),
    admitOverGrpc: (need: Need, peer: Grpc[0], call: Grpc[1]) => access.admit(need, new AskedOverGrpc(peer, call)),
    login: (req: Http[0], call: Http[1], pair: Pair) => access.login(new AskedOverHttp(req, call), pair),
  };
}
