import type { Need } from '../rights/admission.ts';
import type { Place } from './places.ts';

/**
 * Who may do what, as one table: what a call needs, and what callers there are. It knows no names; whether a user's role covers a
 * namespace is asked afterwards, of the command that was read.
 */

/** How far callers are let in who have not said who they are; and whether there is a way to say it. */
export interface Openness {
  /** There are users. Without, everybody is told apart by address alone. */
  readonly auth: boolean;
  /** Every address is as good as a trusted one. */
  readonly openWrites: boolean;
  /** Where there are users, a trusted address reads, or writes, without a login. */
  readonly trustReads: boolean;
  readonly trustWrites: boolean;
  /** A trusted address operates as this machine does, where there are no users. */
  readonly trustOperate: boolean;
  /** Where there are no users, only a trusted address reads. */
  readonly protectReads: boolean;
  /** Health is not for everybody. */
  readonly healthAuth: boolean;
}

/** The defaults: nobody from elsewhere writes, and everybody reads. */
export const PROTECTED: Openness = {
  auth: false,
  openWrites: false,
  trustReads: false,
  trustWrites: false,
  trustOperate: false,
  protectReads: false,
  healthAuth: false,
};

/** Whether one may who has not said who he is. Whether it is a browser is looked at last, as that takes longest. */
export function mayAnybody(
  need: Need | undefined,
  { where }: Pick<Place, 'where'>,
  asked: { readonly isBrowser: boolean },
  open: Openness,
): boolean {
  const isLocal = where === 'loopback';
  const isTrusted = isLocal || where === 'trusted' || open.openWrites;
  switch (need) {
    case 'alive':
    case 'login':
      return true;
    case 'probe':
      return !open.healthAuth || isTrusted;
    case 'read':
      return open.auth ? open.trustReads && isTrusted && !asked.isBrowser : !open.protectReads || isTrusted;
    case 'write':
      return open.auth ? open.trustWrites && isTrusted && !asked.isBrowser : mayTrusted();
    case 'operate':
      return !open.auth && (isLocal || (open.trustOperate && mayTrusted()));
    case 'first-admin':
      return open.auth && isLocal && !asked.isBrowser;
    case 'self':
    case 'admin':
    case undefined:
      return false;
    default:
      return need satisfies never;
  }

  /** On a trusted address a browser shows pages of anybody's; whoever opened writes to all has said that it does not matter. */
  function mayTrusted(): boolean {
    return isTrusted && (isLocal || open.openWrites || !asked.isBrowser);
  }
}

/** What contradicts itself, each in a line; empty when nothing does. */
export function opennessFaults(open: Openness): readonly string[] {
  const faults: string[] = [];
  if (open.auth && open.openWrites)
    faults.push('--open-writes lets anyone write, which --auth is to prevent: leave one of them out');
  if (open.auth && open.protectReads) faults.push('--protect-reads says nothing where --auth asks every reader for a login');
  if (open.auth && open.trustOperate) faults.push('--trust-operate says nothing where --auth asks every operator for a login');
  if (!open.auth && open.trustReads) faults.push('--trust-reads says nothing without --auth: everybody reads');
  if (!open.auth && open.trustWrites) faults.push('--trust-writes says nothing without --auth: --trust lets an address write');
  return faults;
}
