/**
 * What whoever serves calls and whoever guards them say to each other: what a call needs, that it may, or why not. Nothing is decided
 * here; it knows no users and no paths, so that neither side has to know the other.
 */

/**
 * What a call needs. `alive`: whether this process lives, which is never closed. `probe`: health. `login`: to say who one is. `operate`: to
 * act on what belongs to others. `self`: what is about the caller's own user. `admin`: users, roles, secrets. `first-admin`: to become the
 * first one who may.
 */
export const NEEDS = ['alive', 'probe', 'login', 'read', 'write', 'operate', 'self', 'admin', 'first-admin'] as const;
export type Need = (typeof NEEDS)[number];

/** What a call touches, after it has been read in full. A part left out means all of them, which only a grant for all covers. */
export interface Scope {
  /** As the registry calls it: the default one is `public`, never blank. */
  readonly namespace?: string;
  readonly group?: string;
  readonly kind?: 'naming' | 'config';
  /** Of the service, or the text. */
  readonly name?: string;
}

/** Why not. `text` is one line of ASCII, for the caller. */
export interface Refusal {
  readonly isRefusal: true;
  /** Of HTTP; over gRPC it is the error code, in the class that the caller waits for. Never 401: nobody logs in because of it. */
  readonly status: 403 | 429;
  readonly text: string;
  /** For the header `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

/** As Nacos's filter answers in all versions, v3 too: never in an envelope. `path` is bounded by whoever gives it. */
export function refusalBody({ status, text }: Refusal, path: string, nowMs: number): object {
  const timestamp = new Date(nowMs).toISOString().replace('Z', '+00:00');
  return { timestamp, status, error: status === 403 ? 'Forbidden' : 'Too Many Requests', message: text, path };
}

/** What goes along with it. */
export function refusalHeaders({ retryAfterSeconds }: Refusal): Readonly<Record<string, string>> {
  return retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) };
}

/**
 * That somebody may do what a call needs, as far as can be said before the call is read; and from then on whether the command that was
 * read is covered. What is asked about is always the command, after defaults and splitting: of raw parameters two readers see two things.
 */
export interface Permit {
  readonly isRefusal: false;
  /** Whose it is; undefined where nobody had to say. */
  readonly user: string | undefined;
  /** Everything, users and secrets too. */
  readonly isAdmin: boolean;
  /** Why the command is not covered; undefined when it is. Each thing that it touches is asked for by itself. */
  readonly refusalFor: (scope: Scope) => Refusal | undefined;
  /** The same for what is left out of a list without a word. */
  readonly covers: (scope: Scope) => boolean;
  /** The same for what is told later on, because it was asked for once: of the user as he is by then. */
  readonly stillCovers: (scope: Scope) => boolean;
  /** Why this is none of the caller's own; undefined when it is, and for who may change anybody. */
  readonly refusalForUser: (name: string) => Refusal | undefined;
}

export type Admission = Permit | Refusal;

/** Field by field what clients read of a login, but for the first. */
export interface LoggedIn {
  readonly isRefusal: false;
  readonly accessToken: string;
  /** A whole number of seconds. */
  readonly tokenTtl: number;
  readonly globalAdmin: boolean;
  readonly username: string;
}
