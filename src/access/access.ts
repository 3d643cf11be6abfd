import type { Admission, LoggedIn, Need, Permit, Proof, Refusal as Told } from '../rights/admission.ts';
import { originOf } from '../wire/addresses.ts';
import type { Headers } from '../wire/browser.ts';
import { type Head, type PageRules, pageFault } from './browsers.ts';
import { type Carriers, credentialsIn, type Pair, setsPassword } from './carriers.ts';
import type { Certified } from './certificates.ts';
import type { Logins } from './logins.ts';
import { ANYBODY, deedOf, HOLDS, type Known, permitOf } from './permit.ts';
import type { Place, Places } from './places.ts';
import { mayAnybody, type Openness } from './policy.ts';
import {
  BAD_TOKEN,
  BUSY,
  DISAGREEMENT,
  NEW_UNENCRYPTED,
  NO_WORD,
  NOT_FIRST,
  noLogin,
  noRight,
  notTrusted,
  OLD_TOKEN,
  PAGE_CHANGE,
  pageRefused,
  type Refusal,
  UNENCRYPTED,
  WRONG_LOGIN,
} from './refusals.ts';
import type { RefusedCallers } from './refused-callers.ts';
import type { Tokens } from './tokens.ts';
import { isAdmin, type User, type Users } from './users.ts';

/**
 * Who may do what. Asked three times of each call: whether a page may ask it at all, whether the caller may do what its route needs, and
 * whether the command that was read is covered. It decides and answers nothing itself: each surface says a refusal in its own form. Who
 * one is comes from the connection, a login or a certificate, never from how a client calls itself; and what no rule speaks of is refused.
 */
export class Access {
  readonly #room: AccessRoom;

  constructor(room: AccessRoom) {
    this.#room = room;
  }

  /** Before anything else, on every port. */
  page(head: Head, caller: Pick<Asked, 'ip' | 'agent' | 'example'>): Refusal | undefined {
    const fault = pageFault(head, this.#room.pages);
    if (fault === undefined) return undefined;
    const place = this.#room.places.placeOf(caller.ip, head.headers);
    return this.#refused(pageRefused(fault), place, undefined, caller);
  }

  /**
   * What the route needs, as its record says; undefined, where it says nothing, is refused. At once where no password has to be looked at
   * for the first time.
   */
  admit(need: Need | undefined, asked: Asked): Admission | Promise<Admission> {
    const { open, places } = this.#room;
    const place = places.placeOf(asked.ip, asked.headers);
    if (place.where === 'trusted' && place.isForwarded && !place.isProxy)
      this.#room.refusedCallers.handsOn({ address: place.address, client: asked.agent, need, example: asked.example });
    if (asked.isChange && asked.isBrowser) return this.#refused(PAGE_CHANGE, place, need, asked);
    if (mayAnybody(need, place, asked, open)) {
      if (open.auth && (need === 'read' || need === 'write')) this.#noteWithoutLogin(need, asked, place);
      return ANYBODY;
    }
    if (need === undefined) return this.#refused(NO_WORD, place, need, asked);
    if (!open.auth) return this.#refused(notTrusted(need, place, asked.isBrowser), place, need, asked);
    if (asked.ownParams && this.#isInClear(asked, place) && setsPassword(asked.carriers))
      return this.#refused(NEW_UNENCRYPTED, place, need, asked);
    const who = this.#identify(need, asked, place);
    return who instanceof Promise
      ? who.then((known) => this.#judged(need, asked, place, known))
      : this.#judged(need, asked, place, who);
  }

  /**
   * Why nothing that may still come in a body could let a call in of which no more than the head is known; undefined where something
   * could. A body takes back nothing of what the head says. `mayBringLogin`: there may be parameters in it.
   */
  refusalByHead(need: Need | undefined, asked: Asked, mayBringLogin: boolean): Told | undefined {
    const { open, places } = this.#room;
    if (mayAnybody(need, places.placeOf(asked.ip, asked.headers), asked, open)) return undefined;
    if (open.auth && mayYetLogIn(asked, mayBringLogin)) return undefined;
    const admission = this.admit(need, asked);
    return admission instanceof Promise || !admission.isRefusal ? undefined : admission;
  }

  /**
   * Whether `admit` would let it in, where less is told to who would not be. Nobody hears of that, but for who says of himself what is not
   * so: a guess is one wherever it is tried, and there would be a place else where guessing makes no noise.
   */
  wouldAdmit(need: Need, asked: Asked): boolean | Promise<boolean> {
    const permit = this.permitFor(need, asked);
    return permit instanceof Promise ? permit.then(isPermit) : isPermit(permit);
  }

  /** The same, with what of it would be let in; undefined where nothing would. */
  permitFor(need: Need, asked: Asked): Permit | undefined | Promise<Permit | undefined> {
    const answer = (said: Admission) => (said.isRefusal ? undefined : said);
    const said = this.wouldSay(need, asked);
    return said instanceof Promise ? said.then(answer) : answer(said);
  }

  /** The same, and why not. */
  wouldSay(need: Need, asked: Asked): Admission | Promise<Admission> {
    const { open, places, users } = this.#room;
    const place = places.placeOf(asked.ip, asked.headers);
    if (asked.isChange && asked.isBrowser) return PAGE_CHANGE;
    if (mayAnybody(need, place, asked, open)) return ANYBODY;
    if (!open.auth) return notTrusted(need, place, asked.isBrowser);
    const answer = (who: Known | Refusal): Admission => {
      if (who.isRefusal) return who.reason === 'no-login' ? who : this.#refused(who, place, need, asked);
      if (this.#may(need, asked, who.user)) return permitOf(who, deedOf(need), users, () => {});
      return noRight(who.user.name, deedOf(need) ?? 'administer', asked.isScoped ? 'anywhere' : {});
    };
    const who = this.#identify(need, asked, place);
    return who instanceof Promise ? who.then(answer) : answer(who);
  }

  /** What a login answers, field by field as clients read it. */
  login(asked: Asked, pair: Pair): LoggedIn | Refusal | Promise<LoggedIn | Refusal> {
    const place = this.#room.places.placeOf(asked.ip, asked.headers);
    if (credentialsIn(asked.carriers) === 'disagree') return this.#refused(DISAGREEMENT, place, 'login', asked);
    const proven = this.#prove(pair, asked, place);
    const answer = (user: User | Refusal): LoggedIn | Refusal =>
      'isRefusal' in user ? this.#refused(user, place, 'login', asked) : this.#loggedIn(user);
    return proven instanceof Promise ? proven.then(answer) : answer(proven);
  }

  #loggedIn(user: User): LoggedIn {
    const { token, ttlSeconds } = this.#room.tokens.issue(user);
    return { isRefusal: false, accessToken: token, tokenTtl: ttlSeconds, globalAdmin: isAdmin(user), username: user.name };
  }

  #judged(need: Need, asked: Asked, place: Place, who: Known | Refusal): Admission {
    if (who.isRefusal) {
      const isFirst = need === 'first-admin' && who.reason === 'no-login';
      return this.#refused(isFirst ? NOT_FIRST : who, place, need, withCertificate(who, asked));
    }
    const deed = deedOf(need);
    const refused = (refusal: Refusal) => void this.#refused(refusal, place, need, asked);
    if (this.#may(need, asked, who.user)) return permitOf(who, deed, this.#room.users, refused);
    const lacks = need === 'probe' ? 'read' : (deed ?? 'administer');
    return this.#refused(noRight(who.user.name, lacks, asked.isScoped || need === 'probe' ? 'anywhere' : {}), place, need, asked);
  }

  #may(need: Need, { isScoped }: Pick<Asked, 'isScoped'>, who: User): boolean {
    const { users } = this.#room;
    const deed = deedOf(need);
    if (deed === undefined) return need === 'self' || isAdmin(who) || (need === 'probe' && users.allowsSomewhere(who, 'read'));
    return isScoped ? users.allowsSomewhere(who, deed) : users.allows(who, deed, {});
  }

  #identify(need: Need, asked: Asked, place: Place): Known | Refusal | Promise<Known | Refusal> {
    const { tokens, users } = this.#room;
    const said = credentialsIn(asked.carriers, asked.ownParams);
    if (said === 'disagree') return DISAGREEMENT;
    const { token, pair, isSigned } = said;
    const certified = this.#certified(asked);
    const agreed = (user: User, proof: Proof): Known | Refusal =>
      certified === undefined || certified === user ? { isRefusal: false, user, proof } : DISAGREEMENT;
    if (token !== undefined) {
      const shown = tokens.check(token);
      if (typeof shown === 'string') return shown === 'expired' ? OLD_TOKEN : BAD_TOKEN;
      const { user, proof } = shown;
      return pair !== undefined && pair.name !== user.name ? DISAGREEMENT : agreed(user, proof);
    }
    if (pair === undefined) {
      if (certified === undefined)
        return noLogin(need, { isSigned, certificate: asked.certificate?.name, isNobody: users.count === 0 });
      return { isRefusal: false, user: certified, proof: this.#proofBy(asked.certificate, certified), isByCertificate: true };
    }
    const proven = this.#prove(pair, asked, place);
    const answer = (user: User | Refusal) => ('isRefusal' in user ? user : agreed(user, HOLDS));
    return proven instanceof Promise ? proven.then(answer) : answer(proven);
  }

  /** A connection may outlive the certificate that it began with, and so may a session that is resumed. */
  #certified({ certificate }: Pick<Asked, 'certificate'>): User | undefined {
    const { users, wallClock } = this.#room;
    if (certificate === undefined) return undefined;
    return wallClock() < certificate.validUntil ? users.findByCertificate(certificate.name) : undefined;
  }

  #proofBy(certificate: Asked['certificate'], { name }: User): Proof {
    const until = certificate?.validUntil ?? 0;
    const standing = () => {
      if (this.#room.wallClock() >= until) return 'over';
      return this.#certified({ certificate })?.name === name ? 'holds' : 'withdrawn';
    };
    return { standing, until };
  }

  #prove({ name, password }: Pair, asked: Asked, place: Place): User | Refusal | Promise<User | Refusal> {
    const { logins } = this.#room;
    if (this.#isInClear(asked, place)) return UNENCRYPTED;
    const answer = (proof: User | 'wrong' | 'busy'): User | Refusal =>
      proof === 'wrong' ? WRONG_LOGIN : proof === 'busy' ? BUSY : proof;
    const proof = logins.prove(name, password, originOf(place.address));
    return proof instanceof Promise ? proof.then(answer) : answer(proof);
  }

  /** Where a password could be read on its way, and need not. */
  #isInClear({ isEncrypted }: Pick<Asked, 'isEncrypted'>, { where }: Place): boolean {
    return this.#room.passwordsNeedTls && !isEncrypted && where !== 'loopback';
  }

  /** Who would be refused if trusted addresses were asked too: nobody waits for the answer. */
  #noteWithoutLogin(need: Need, asked: Asked, place: Place): void {
    const { onError, refusedCallers } = this.#room;
    const note = (who: Known | Refusal): void => {
      if (who.isRefusal) refusedCallers.letIn(who.reason, callerOf(place, need, asked));
    };
    const who = this.#identify(need, asked, place);
    if (who instanceof Promise) who.then(note, onError);
    else note(who);
  }

  #refused(refusal: Refusal, place: Place, need: Need | undefined, caller: Pick<Asked, 'agent' | 'example'>): Refusal {
    this.#room.refusedCallers.refused(refusal.reason, callerOf(place, need, caller));
    return refusal;
  }
}

/** What access works on. */
export interface AccessRoom {
  readonly open: Openness;
  readonly places: Places;
  readonly pages: PageRules;
  readonly users: Users;
  readonly logins: Logins;
  readonly tokens: Tokens;
  readonly refusedCallers: RefusedCallers;
  /** There is a TLS port: from elsewhere no password is taken in clear. */
  readonly passwordsNeedTls: boolean;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly onError: (error: unknown) => void;
}

/** Who asks, and what for. */
export interface Asked {
  /** Of the other end of the connection: the socket's, never one that an inner call hands on. */
  readonly ip: string;
  /** Of the request over HTTP, also where it is gRPC. */
  readonly headers: Headers;
  readonly carriers: Carriers;
  /** The call's own parameters are called as a login's: there they say nothing of who calls. */
  readonly ownParams: boolean;
  /** The call asks its permit of everything that it touches; else a right to everything is needed. */
  readonly isScoped: boolean;
  /** A GET that changes something all the same. */
  readonly isChange?: boolean;
  readonly isBrowser: boolean;
  readonly isEncrypted: boolean;
  /** The caller's certificate, if it is one that was verified on this very connection. */
  readonly certificate?: Certified | undefined;
  /** How the client calls itself: for the log, and for nothing else. */
  readonly agent: string;
  /** What is asked, in a few words, for the log. */
  readonly example: string;
}

/** A token wins over all else, and is looked at alone. A password, or a certificate, is looked at once: when all has come. */
function mayYetLogIn({ carriers, ownParams, certificate }: Asked, mayBringLogin: boolean): boolean {
  const said = credentialsIn(carriers, ownParams);
  if (said === 'disagree' || said.token !== undefined) return false;
  return mayBringLogin || said.pair !== undefined || certificate !== undefined;
}

function isPermit(permit: Permit | undefined): boolean {
  return permit !== undefined;
}

function callerOf({ address }: Place, need: Need | undefined, { agent, example }: Pick<Asked, 'agent' | 'example'>) {
  return { address, client: agent, need, example };
}

/** An operator who has given somebody a certificate looks for its name. */
function withCertificate({ reason }: Refusal, { agent, example, certificate }: Asked): Pick<Asked, 'agent' | 'example'> {
  if (reason !== 'no-login' || certificate === undefined) return { agent, example };
  return { agent: agent === '' ? certificate.name : `${certificate.name}, ${agent}`, example };
}
