import type { Headers } from '../wire/browser.ts';
import type { Peer, Request } from '../wire/exchange.ts';
import { RequestError } from './errors.ts';
import { HOME } from './rules.ts';

/** Who may do what, as this surface asks it: the composition root hands it in. */
export interface Gate {
  readonly admit: (need: Need | undefined, req: Request, asked: Facts) => Admission | Promise<Admission>;
  /** Whether it would be let in, where less is told to who would not be: nobody hears of it, but of wrong logins. */
  readonly wouldAdmit: (need: Need, req: Request, asked: Facts) => boolean | Promise<boolean>;
  /** As `admit`, of a call over gRPC, where the headers of its payload say who asks. */
  readonly admitOverGrpc: (need: Need, peer: Peer, asked: GrpcFacts) => Admission | Promise<Admission>;
  /** The answer of a login, or why there is none; left out where there are no users. */
  readonly login?: (
    req: Request,
    asked: Facts,
    pair: { readonly name: string; readonly password: string },
  ) => LoggedIn | Refusal | Promise<LoggedIn | Refusal>;
}

/** What a call needs: `alive` and `probe` are health, `login` is what comes before one, `self` is about the caller's own user. */
export type Need = 'alive' | 'probe' | 'login' | 'read' | 'write' | 'operate' | 'self' | 'admin' | 'first-admin';

/** What is asked, as this surface has read it. */
export interface Facts {
  /** All, those that came twice too; read only where somebody has to say who he is. */
  readonly params: Iterable<readonly [name: string, value: string]>;
  /** Names and passwords in them are not the caller's. */
  readonly ownParams: boolean;
  /** The permit is asked of everything that is touched; else a right to everything is needed. */
  readonly isScoped: boolean;
  /** A GET that changes something. */
  readonly isChange: boolean;
  /** In a few words, for the log. */
  readonly example: string;
}

/** The same of a message over gRPC. */
export interface GrpcFacts {
  /** Of the request that it came in: whether a proxy has handed it on. */
  readonly headers: Headers;
  /** Of the message itself. */
  readonly payload: Readonly<Record<string, string>>;
  readonly agent: string;
  readonly example: string;
}

/** What is touched; a part that is left out is all of them. */
export interface Scope {
  readonly namespace?: string;
  readonly group?: string;
  readonly kind?: 'naming' | 'config';
  readonly name?: string;
}

/** Why not. `text` is one line, for the caller. */
export interface Refusal {
  readonly isRefusal: true;
  readonly status: 403 | 429;
  readonly text: string;
  readonly retryAfterSeconds?: number;
}

/** That the caller may do what the route needs, and what remains to be asked once the command has been read. */
export interface Permit {
  readonly isRefusal: false;
  /** Undefined where nobody had to say who he is: everything is covered then. */
  readonly user: string | undefined;
  readonly isAdmin: boolean;
  readonly refusalFor: (scope: Scope) => Refusal | undefined;
  /** The same, for what is left out of a list without a word. */
  readonly covers: (scope: Scope) => boolean;
  /** The same of what is told later on, because it was asked for once: a user may be disabled by then. */
  readonly stillCovers: (scope: Scope) => boolean;
  readonly refusalForUser: (name: string) => Refusal | undefined;
}

export type Admission = Permit | Refusal;

/** Field by field what clients read of a login, but for the first. */
export interface LoggedIn {
  readonly isRefusal: false;
  readonly accessToken: string;
  readonly tokenTtl: number;
  readonly globalAdmin: boolean;
  readonly username: string;
}

/** The caller may not do that. */
export class NotPermitted extends RequestError {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.status === 403 ? 'forbidden' : 'busy', refusal.text);
    this.refusal = refusal;
  }
}

/** What is to be touched, if it may be; else it throws `NotPermitted`. */
export function permitted<T extends Scope>(permit: Permit | undefined, kind: 'naming' | 'config', scope: T): T {
  // As with every beat where nobody logs in: all of it is covered then.
  if (permit?.user === undefined) return scope;
  const refusal = permit.refusalFor({ kind, ...scope });
  if (refusal !== undefined) throw new NotPermitted(refusal);
  return scope;
}

/** Whether it may be seen, for what is left out of a list else. */
export function covered(permit: Permit | undefined, kind: 'naming' | 'config', scope: Scope): boolean {
  return permit?.covers({ kind, ...scope }) ?? true;
}

/** As `permitted`, of all that there is in a namespace, in whatever way it is called; "" is the default one. */
export function permittedNamespace(permit: Permit | undefined, id: string): string {
  const refusal = permit?.refusalFor({ namespace: id || HOME.namespace });
  if (refusal !== undefined) throw new NotPermitted(refusal);
  return id;
}

/** The same of a list. */
export function coveredNamespace(permit: Permit | undefined, id: string): boolean {
  return permit?.covers({ namespace: id || HOME.namespace }) ?? true;
}

/** Who changes users, roles and rules. */
export interface UserDesk {
  readonly hasAdmin: boolean;
  readonly names: () => readonly string[];
  readonly bindings: () => readonly { readonly role: string; readonly username: string }[];
  readonly rules: () => readonly (Rule & { readonly role: string })[];
  readonly newPassword: () => string;
  readonly prepared: (name: string, password: string, origin: string) => Promise<Prepared | Fault>;
  readonly create: (name: string, prepared: Prepared) => Fault | undefined;
  readonly createFirst: (name: string, prepared: Prepared) => Fault | undefined;
  readonly changePassword: (name: string, prepared: Prepared) => Fault | undefined;
  readonly drop: (name: string) => Fault | undefined;
  readonly grant: (role: string, name: string) => Fault | undefined;
  readonly revoke: (role: string, name?: string) => Fault | undefined;
  readonly permit: (role: string, rule: Rule) => Fault | undefined;
  readonly forbid: (role: string, rule: Rule) => Fault | undefined;
}

/** A permission of a role, as Nacos writes it. */
export interface Rule {
  readonly resource: string;
  readonly action: string;
}

/** A password that may be kept. */
export interface Prepared {
  readonly hash: string;
}

/** Why it was not done. */
export interface Fault {
  readonly why: 'invalid' | 'exists' | 'unknown' | 'of-file' | 'last-admin' | 'too-many' | 'busy';
  readonly text: string;
}
