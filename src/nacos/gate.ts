import type { Admission, LoggedIn, Need, Permit, Refusal, Scope } from '../rights/admission.ts';
import type { Facts, GrpcFacts } from '../rights/facts.ts';
import type { Peer, Request } from '../wire/exchange.ts';
import { RequestError } from './errors.ts';
import { HOME } from './rules.ts';

/** Who may do what, as this surface asks it: the composition root hands it in. */
export interface Gate {
  readonly admit: (need: Need | undefined, req: Request, asked: Facts) => Admission | Promise<Admission>;
  /** Why nothing in a body that is still to come could let it in; `mayBringLogin`: there may be parameters in that. */
  readonly refusalByHead: (need: Need | undefined, req: Request, asked: Facts, mayBringLogin: boolean) => Refusal | undefined;
  /** Whether it would be let in, where less is told to who would not be: nobody hears of it. */
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
