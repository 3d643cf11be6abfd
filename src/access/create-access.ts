import type { Refused } from '../wire/refused.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import { Access } from './access.ts';
import { isHostName, isOrigin, type PageRules } from './browsers.ts';
import { Kdf, OWN } from './kdf.ts';
import { Logins } from './logins.ts';
import type { Derive, Randomness } from './passwords.ts';
import { Places, type PlacesOptions, trustFaults } from './places.ts';
import { type Openness, opennessFaults } from './policy.ts';
import { RefusedCallers, type Told } from './refused-callers.ts';
import { secretFault } from './secrets.ts';
import { LEAST_TTL_SECONDS, MOST_TTL_SECONDS, Tokens } from './tokens.ts';
import { UserAdmin } from './user-admin.ts';
import { type Loaded, type ReadLarge, UserLoads } from './user-loads.ts';
import { Users } from './users.ts';
import { WrittenPasswords } from './written-passwords.ts';

/** What an operator says of access. */
export interface AccessSettings extends Openness, PlacesOptions {
  readonly pages: PageRules;
  /** The first one signs; the others still verify. Empty where there are no users. */
  readonly secrets: readonly Uint8Array[];
  readonly tokenTtlSeconds: number;
  /** As of `AccessRoom`. */
  readonly passwordsNeedTls: boolean;
}

/** What access needs from outside: nothing in it reads a clock, makes a timer or rolls dice by itself. */
export interface AccessMeans {
  readonly derive: Derive;
  readonly randomness: Randomness;
  /** Milliseconds, never going back. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly scheduler: Scheduler;
  /** Reads a file of users that would take long, elsewhere. Here, when left out. */
  readonly readLarge?: ReadLarge | undefined;
  /** Hears who is refused. */
  readonly tell: (told: Told) => void;
  /** Where it is counted that somebody was refused; nowhere when left out. */
  readonly refused?: Refused | undefined;
  /** Hears of defects. */
  readonly onError: (error: unknown) => void;
}

export interface AccessRooms {
  readonly access: Access;
  readonly users: Users;
  readonly userAdmin: UserAdmin;
  /** As `load` of `UserLoads`. */
  readonly loadUsers: (path: string) => Promise<Loaded | 'unsettled' | undefined>;
  readonly kdf: Kdf;
  readonly refusedCallers: RefusedCallers;
}

/** Why these cannot be in force, all at once; empty when they can. */
export function accessFaults(settings: AccessSettings): readonly string[] {
  const { auth, pages, secrets, tokenTtlSeconds, trust, trustedProxies } = settings;
  const faults = [...opennessFaults(settings)];
  faults.push(...trustFaults(trust).map((fault) => `--trust ${fault}`));
  faults.push(...trustFaults(trustedProxies).map((fault) => `--trusted-proxy ${fault}`));
  if (auth && secrets.length === 0) faults.push('--auth needs a secret: --auth-secret-file, or a data folder that can keep one');
  for (const secret of secrets) {
    const fault = secretFault(secret);
    if (fault !== undefined) faults.push(`--auth-secret-file: ${fault}`);
  }
  for (const origin of pages.origins)
    if (!isOrigin(origin)) faults.push(`--allow-origin must be like https://console.example, got ${shown(origin)}`);
  for (const host of pages.hosts)
    if (!isHostName(host)) faults.push(`--allow-host must be a name without a port, got ${shown(host)}`);
  if (!Number.isInteger(tokenTtlSeconds) || tokenTtlSeconds < LEAST_TTL_SECONDS || tokenTtlSeconds > MOST_TTL_SECONDS)
    faults.push(`--token-ttl must be ${LEAST_TTL_SECONDS}..${MOST_TTL_SECONDS} seconds, got ${tokenTtlSeconds}`);
  return faults;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

/** The one wiring of this folder. `settings` must be without faults. */
export function createAccess(settings: AccessSettings, means: AccessMeans, users = new Users()): AccessRooms {
  const { derive, now, onError, randomness, readLarge, scheduler, tell, wallClock } = means;
  const { auth, pages, passwordsNeedTls, secrets, tokenTtlSeconds } = settings;
  const kdf = new Kdf(derive);
  const refusedCallers = new RefusedCallers(scheduler, tell, means.refused);
  const written = new WrittenPasswords(randomness);
  const access = new Access({
    open: settings,
    places: new Places(settings),
    pages,
    users,
    logins: new Logins({ users, written, kdf, randomness, now, onError }),
    // Where there are no users none is ever asked for: one that nobody knows is as good as none.
    tokens: new Tokens({
      secrets: auth ? secrets : [randomness(32)],
      ttlSeconds: tokenTtlSeconds,
      now: wallClock,
      find: (name) => users.find(name),
      endedAt: (name) => users.endedAt(name),
      findByToken: (digest) => users.findByToken(digest),
    }),
    refusedCallers,
    passwordsNeedTls,
    wallClock,
    onError,
  });
  // Whoever logs in meanwhile does not wait for all of it.
  const inTurn: Derive = async (...said) => {
    const key = await kdf.run(OWN, (derive) => derive(...said));
    if (key === undefined) throw new Error('the process has no place of its own');
    return key;
  };
  const userLoads = new UserLoads({ users, written, derive: inTurn, readLarge, now, wallClock, onError });
  return {
    access,
    users,
    userAdmin: new UserAdmin(users, kdf, randomness),
    loadUsers: (path) => userLoads.load(path),
    kdf,
    refusedCallers,
  };
}

/** What to say at the start, each in a line, of who can write or log in at all, and of what says less than it seems to. */
export function startNotices(settings: AccessSettings, start: Start): readonly string[] {
  const said = settings.auth ? noticesOfUsers(settings, start) : noticesOfPlaces(settings, start);
  return said.filter((notice) => notice !== false);
}

function noticesOfUsers(
  { trust, trustReads, trustWrites, healthAuth }: AccessSettings,
  { hasAdmin, keepsUsers }: Start,
): readonly (string | false)[] {
  const trusted = trust.some((part) => part !== 'loopback');
  const letsIn = trustReads || trustWrites;
  return [
    !hasAdmin && 'nobody can log in yet: make the first admin, from this machine, with POST /nacos/v1/auth/users/admin',
    !keepsUsers && 'users that are made by calls are gone after a restart: give a --data-dir to keep them, or a --user-file',
    trusted && !letsIn && !healthAuth && '--trust says nothing beside --auth, unless --trust-reads or --trust-writes do',
    !trusted && letsIn && '--trust-reads and --trust-writes let in this machine alone, as --trust names no other',
  ];
}

function noticesOfPlaces(
  { openWrites, trust, trustOperate, healthAuth, protectReads }: AccessSettings,
  { isBoundBeyondLoopback }: Start,
): readonly (string | false)[] {
  const trusted = trust.some((part) => part !== 'loopback');
  const anyone = trustOperate
    ? 'anyone may register, write texts and edit here (--open-writes --trust-operate)'
    : 'anyone may register and write texts here (--open-writes)';
  return [
    openWrites && anyone,
    openWrites && trusted && '--trust says nothing beside --open-writes, which takes every address for a trusted one',
    !openWrites && !trusted && trustOperate && '--trust-operate says nothing, as --trust names no other than this machine',
    !openWrites && !trusted && isBoundBeyondLoopback && ONLY_THIS_MACHINE,
    healthAuth &&
      !protectReads &&
      '--health-auth closes health, and lists still tell everybody the same: --protect-reads closes these',
  ];
}

const ONLY_THIS_MACHINE =
  'only this machine may register and edit: let others with --trust ADDRESSES, or make them log in with --auth';

export interface Start {
  readonly isBoundBeyondLoopback: boolean;
  readonly hasAdmin: boolean;
  /** Who is made by a call, or comes from a file, is there after a restart. */
  readonly keepsUsers: boolean;
}
