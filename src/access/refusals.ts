import type { Need, Scope, Refusal as Told } from '../rights/admission.ts';
import { AddressSet, addressBytes } from '../wire/addresses.ts';
import type { Place } from './places.ts';
import type { Deed } from './roles.ts';

/**
 * What the refused are told. Their clients show it, or a part of it, or nothing, format it once more, and know some of the words: so one
 * line of ASCII, 300 characters at most, without quotes or percent signs, and at its start the words by which consoles go to their login.
 */
export interface Refusal extends Told {
  readonly reason: RefusalReason;
}

export type RefusalReason =
  | 'page'
  | 'not-trusted'
  | 'forwarded'
  | 'no-login'
  | 'wrong-login'
  | 'disagreement'
  | 'bad-token'
  | 'old-token'
  | 'no-right'
  | 'unencrypted'
  | 'busy';

function refusal(reason: RefusalReason, text: string): Refusal {
  return { isRefusal: true, reason, status: 403, text: oneLine(text) };
}

export function pageRefused(text: string): Refusal {
  return refusal('page', text);
}

/** Any page can make a browser send a GET. */
export const PAGE_CHANGE: Refusal = refusal('page', 'refused: a web page may not change anything by GET');

/** Nobody from there does that, and there are no users to log in as. */
export function notTrusted(need: Need, { address, isForwarded, where }: Place): Refusal {
  if (need === 'self' || need === 'admin' || need === 'first-admin') return NO_USERS;
  if (isForwarded)
    return refusal(
      'forwarded',
      'not trusted: this came through a proxy (x-forwarded-for); name the proxy with --trusted-proxy and the callers with --trust, or log in',
    );
  const caller = address === '' ? 'this address' : address;
  const one = address === '' ? 'ADDRESS' : `${address}/${address.includes(':') ? 128 : 32}`;
  if (need === 'operate' && where === 'trusted')
    return refusal(
      'not-trusted',
      `not trusted: ${caller} may not operate here. Do it on the machine of beatbridge, or start it with --trust-operate, or with --auth and log in`,
    );
  const ways = need === 'write' ? '; --open-writes lets anyone' : '';
  const set = nameOfSet(address);
  const trust =
    need === 'operate' ? `--trust ${one} --trust-operate` : `--trust ${one}${set === undefined ? '' : ` (or --trust ${set})`}`;
  return refusal(
    'not-trusted',
    `not trusted: ${caller} may not ${verbOf(need)} here. Start beatbridge with ${trust}, or with --auth and log in${ways}`,
  );
}

/** There are users, and the caller has not said to be one. */
export function noLogin(isSigned: boolean): Refusal {
  const signed = isSigned ? ' (ak/sk signatures are not checked here)' : '';
  const text = `user not found! Log in: POST /nacos/v1/auth/login, or send username and password, or a Bearer token${signed}`;
  return refusal('no-login', text);
}

/** The same for whatever was wrong: who there is, is not told. */
export const WRONG_LOGIN: Refusal = refusal('wrong-login', 'user not found!');

export const DISAGREEMENT: Refusal = refusal(
  'disagreement',
  'user not found! This request says twice who sends it, and not the same; send one token, or one name and password',
);

export const BAD_TOKEN: Refusal = refusal('bad-token', 'token invalid! Log in again');
export const OLD_TOKEN: Refusal = refusal('old-token', 'token expired! Log in again');
export const UNENCRYPTED: Refusal = refusal(
  'unencrypted',
  'user not found! Log in over https: here a password would travel in clear',
);
export const NO_WORD: Refusal = refusal('no-right', 'authorization failed! Nobody may do that here');
export const NO_USERS: Refusal = refusal(
  'no-right',
  'authorization failed! There are no users here; start beatbridge with --auth',
);
export const NOT_FIRST: Refusal = refusal(
  'not-trusted',
  'not trusted: the first admin is made on the machine of beatbridge, over loopback, and by no web page; else log in as one',
);

/** There is no time to look at a password. Clients take it for any other failure, and come again. */
export const BUSY: Refusal = {
  ...refusal('busy', 'too many logins at once; try again in 5 s'),
  status: 429,
  retryAfterSeconds: 5,
};

/** A user who is known has no right to it. */
export function noRight(user: string, deed: Deed | 'administer', scope: Scope): Refusal {
  const { namespace, group } = scope;
  const where = [group !== undefined && `group ${shown(group)} of`, namespace !== undefined && `namespace ${shown(namespace)}`];
  const what = namespace === undefined ? 'all there is' : where.filter((part) => part !== false).join(' ');
  return refusal('no-right', `authorization failed! user ${shown(user)} may not ${deed} ${what}`);
}

/** The set that has the address in it, and many others of its network. */
function nameOfSet(address: string): string | undefined {
  const bytes = addressBytes(address);
  return bytes && SETS.find(({ set }) => set.has(bytes))?.name;
}

const SETS = (['private', 'link-local'] as const).map((name) => ({ name, set: new AddressSet([name]) }));

function verbOf(need: Need): string {
  return need === 'write' || need === 'operate' ? need : 'read';
}

function shown(text: string): string {
  return text.replace(/[^\w.:@-]/g, '?').slice(0, 64);
}

function oneLine(text: string): string {
  return text.replace(/[^\x20-\x7e]|["'%\\]/g, '?').slice(0, 300);
}
