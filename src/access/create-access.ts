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
import { type Loaded, UserLoads } from './user-loads.ts';
import { Users } from './users.ts';

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
  /** Hears who is refused. */
  readonly tell: (told: Told) => void;
  /** Hears of defects. */
  readonly onError: (error: unknown) => void;
}

export interface AccessRooms {
  readonly access: Access;
  readonly users: Users;
  readonly userAdmin: UserAdmin;
  /** As `load` of `UserLoads`. */
  readonly loadUsers: (path: string) => Promise<Loaded | undefined>;
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
  const { derive, now, onError, randomness, scheduler, tell, wallClock } = means;
  const { auth, pages, passwordsNeedTls, secrets, tokenTtlSeconds } = settings;
  const kdf = new Kdf(derive);
  const refusedCallers = new RefusedCallers(scheduler, tell);
  const access = new Access({
    open: settings,
    places: new Places(settings),
    pages,
    users,
    logins: new Logins({ users, kdf, randomness, now, onError }),
    // Where there are no users none is ever asked for: one that nobody knows is as good as none.
    tokens: new Tokens({
      secrets: auth ? secrets : [randomness(32)],
      ttlSeconds: tokenTtlSeconds,
      now: wallClock,
      find: (name) => users.find(name),
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
  const userLoads = new UserLoads(users, inTurn, randomness);
  return {
    access,
    users,
    userAdmin: new UserAdmin(users, kdf, randomness),
    loadUsers: (path) => userLoads.load(path),
    kdf,
    refusedCallers,
  };
}

/** What to say at the start, in a line, of who can write or log in at all; undefined where there is nothing that surprises. */
export function startNotice(
  { auth, openWrites, trust }: AccessSettings,
  { isBoundBeyondLoopback, hasAdmin }: Start,
): string | undefined {
  if (openWrites) return 'anyone may register and edit here (--open-writes)';
  if (auth)
    return hasAdmin
      ? undefined
      : 'nobody can log in yet: make the first admin, from this machine, with POST /nacos/v1/auth/users/admin';
  if (!isBoundBeyondLoopback || trust.some((part) => part !== 'loopback')) return undefined;
  return 'only this machine may register and edit: let others with --trust ADDRESSES, or make them log in with --auth';
}

export interface Start {
  readonly isBoundBeyondLoopback: boolean;
  readonly hasAdmin: boolean;
}
