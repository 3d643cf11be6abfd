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
export function notTrusted(need: Need, place: Place, isBrowser = false): Refusal {
  const { address, isForwarded, isSaid, where } = place;
  if (need === 'self' || need === 'admin' || need === 'first-admin') return NO_USERS;
  if (isForwarded && isSaid === undefined) return handedOn(need, place);
  const caller = address === '' ? 'this address' : address;
  // No address that is named would help.
  if (isBrowser && (need === 'write' || need === 'operate')) {
    const ways = need === 'write' ? '; --open-writes lets anyone' : '';
    return refusal(
      'not-trusted',
      `not trusted: a browser may ${need} here from the machine of beatbridge alone, and ${caller} is another, trusted or not. Start beatbridge with --auth and log in${ways}`,
    );
  }
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

/** Somebody asks for another, who may not, or of whom nothing is known. */
function handedOn(need: Need, { address, asksFor, field = 'x-forwarded-for', isProxy }: Place): Refusal {
  const header = shown(field);
  const ways = 'or start beatbridge with --auth and log in';
  if (isProxy)
    return refusal(
      'forwarded',
      `not trusted: the proxy ${address} does not say who asks (${header}): it has to send X-Forwarded-For, and no Forwarded, with an address that is neither loopback nor a proxy; ${ways}`,
    );
  const first =
    asksFor === undefined
      ? `this came through a proxy (${header})`
      : `${address} is trusted, and asks for ${asksFor} (${header}), who may not ${verbOf(need)} here`;
  return refusal('forwarded', `not trusted: ${first}; name the proxy with --trusted-proxy and the callers with --trust, ${ways}`);
}

/** There are users, and the caller has not said to be one. */
export function noLogin(need: Need, { isSigned, certificate, isNobody }: NoLogin): Refusal {
  const nobody = ' (nobody can yet: the first admin is made on the machine of beatbridge, by POST /nacos/v1/auth/users/admin)';
  const notes = [
    isSigned && ' (ak/sk signatures are not checked here)',
    certificate !== undefined && ` (no user has the certificate ${certificate.slice(0, 80)})`,
  ];
  // The port for health has no login, and there the query is of a name.
  const where = need === 'probe' ? ' on the main port' : '';
  const how = need === 'probe' ? ', as headers' : '';
  const text = `user not found! Log in${where}: POST /nacos/v1/auth/login, or send username and password, or a Bearer token${how}`;
  return refusal('no-login', isNobody ? `${text}${nobody}` : [text, ...notes.filter((note) => note !== false)].join(''));
}

/** What there is to say of it. */
export interface NoLogin {
  /** By a kind of signature that is not looked at. */
  readonly isSigned: boolean;
  /** One that was verified, and is no user's. */
  readonly certificate: string | undefined;
  /** There are no users at all. */
  readonly isNobody: boolean;
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
export const NEW_UNENCRYPTED: Refusal = refusal(
  'unencrypted',
  'authorization failed! Change passwords over https: here the new one would travel in clear',
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

/** A user who is known has no right to it, there or, where the scope is `'anywhere'`, for any part of it. */
export function noRight(user: string, deed: Deed | 'administer', scope: Scope | 'anywhere'): Refusal {
  const { namespace, group } = scope === 'anywhere' ? {} : scope;
  const where = [group !== undefined && `group ${shown(group)} of`, namespace !== undefined && `namespace ${shown(namespace)}`];
  const whole = scope === 'anywhere' ? 'anything here' : 'all there is';
  const what = namespace === undefined ? whole : where.filter((part) => part !== false).join(' ');
  const role = deed === 'administer' ? 'admin' : ROLES[deed];
  const place = namespace === undefined ? '' : `@${shown(namespace)}${group === undefined ? '' : `:${shown(group)}`}`;
  const takes = scope === 'anywhere' && deed !== 'administer' ? `${role}, or ${role}@NAMESPACE` : `${role}${place}`;
  return refusal('no-right', `authorization failed! user ${shown(user)} may not ${deed} ${what}: it takes the role ${takes}`);
}

/** The least that may do it. */
const ROLES = { read: 'reader', write: 'writer', operate: 'admin' } as const satisfies Readonly<Record<Deed, string>>;

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
