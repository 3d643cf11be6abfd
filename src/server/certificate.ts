import type { Logger } from 'pino';
import { certificatesIn, subjectOf, type TlsIdentity } from '../wire/identity.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';
import type { Look } from './readiness.ts';

/**
 * The certificate that TLS shows: until when it is valid, whether the last new one could be used, and how many were not content with what
 * they saw. It warns of the end in time, also of those that vouch for it, or for clients, and holds no key.
 */
export class Certificate {
  /** Handshakes that came to nothing, whoever is to blame. */
  failedHandshakes = 0;
  readonly #room: CertificateRoom;
  #stop: Cancel | undefined;
  #shown: Shown;
  #others: readonly Ending[];
  #saidOfOthersAt = Number.NEGATIVE_INFINITY;
  #trouble: string | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;
  #hasSaidEnd = false;

  /** `identity` must be fit. */
  constructor(identity: TlsIdentity, room: CertificateRoom) {
    this.#room = room;
    this.#shown = shownBy(identity);
    this.#others = othersIn(identity);
  }

  /** Looks at once, and from then on every hour. */
  start(): void {
    this.#stop = this.#room.scheduler.every(LOOK_EVERY_MS, () => this.#look());
    this.#look();
  }

  /** Milliseconds since 1970. */
  get validUntil(): number {
    return this.#shown.until;
  }

  get subject(): string {
    return this.#shown.subject;
  }

  /** Why the last new one could not be used. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Why another one, which is fit, had better not take its place: it has ended already, and this one has not. */
  faultsOfNext(identity: TlsIdentity): readonly string[] {
    const now = this.#room.wallClock();
    const { subject, until } = shownBy(identity);
    return now >= until && now < this.#shown.until ? [`${subject} has ended already, ${dateOf(until)}`] : [];
  }

  /** Another one is shown from now on. */
  put(identity: TlsIdentity): void {
    const before = this.#shown.pem;
    this.#shown = shownBy(identity);
    this.#others = othersIn(identity);
    this.#saidOfOthersAt = Number.NEGATIVE_INFINITY;
    this.#trouble = undefined;
    this.#saidAt = Number.NEGATIVE_INFINITY;
    this.#hasSaidEnd = false;
    const isSame = this.#shown.pem === before;
    this.#room.tell(isSame ? 'clients-renewed' : 'renewed', this.#facts());
    this.#look();
  }

  /** A new one cannot be used, and the one before stays. */
  refuse(reasons: readonly string[]): void {
    this.#trouble = reasons.join('; ');
    this.#room.tell('refused', { ...this.#facts(), reasons: this.#trouble.slice(0, MOST_SAID) });
  }

  handshakeFailed(reason: string, ip: string | undefined): void {
    this.failedHandshakes++;
    this.#room.log.debug({ reason, ip }, 'a TLS handshake failed');
  }

  look(): Look {
    const { subject, until } = this.#shown;
    const leftMs = until - this.#room.wallClock();
    const hasEnded = leftMs <= 0;
    const end = `${hasEnded ? 'ended' : 'valid until'} ${dateOf(until)}`;
    const trouble = this.#trouble === undefined ? '' : `, the new one cannot be used: ${this.#trouble}`;
    const says = `${subject} ${end}, ${this.failedHandshakes} handshakes failed${trouble}`;
    return { ok: trouble === '' && !hasEnded, says, validForSeconds: Math.floor(leftMs / 1_000) };
  }

  stop(): void {
    this.#stop?.();
  }

  #look(): void {
    this.#lookAtOthers();
    const { wallClock, tell, warnDays } = this.#room;
    const now = wallClock();
    const { from, until } = this.#shown;
    const hasEnded = now >= until;
    if (hasEnded === this.#hasSaidEnd && now - this.#saidAt < A_DAY_MS) return;
    if (hasEnded) tell('ended', this.#facts());
    else if (until - now <= warnDays * A_DAY_MS)
      tell('ends-soon', { ...this.#facts(), days: Math.floor((until - now) / A_DAY_MS) });
    else if (now < from) tell('not-yet', { ...this.#facts(), since: dateOf(from) });
    else return;
    this.#saidAt = now;
    this.#hasSaidEnd = hasEnded;
  }

  /** Some are left over, and hurt nobody: so there is no more than a warning. */
  #lookAtOthers(): void {
    const { wallClock, tell, warnDays } = this.#room;
    const now = wallClock();
    if (now - this.#saidOfOthersAt < A_DAY_MS) return;
    for (const { subject, until } of this.#others) {
      if (until > now && until - now > warnDays * A_DAY_MS) continue;
      this.#saidOfOthersAt = now;
      const facts = { subject, until: dateOf(until) };
      if (until <= now) tell('other-ended', facts);
      else tell('other-ends-soon', { ...facts, days: Math.floor((until - now) / A_DAY_MS) });
    }
  }

  #facts() {
    const { subject, until } = this.#shown;
    return { subject, until: dateOf(until) };
  }
}

export interface CertificateRoom {
  readonly scheduler: Pick<Scheduler, 'every'>;
  /** Milliseconds since 1970, as the machine has them now. */
  readonly wallClock: () => number;
  /** Told what is to be known of it: when it ends soon or has ended, once a day, and whenever another one comes. */
  readonly tell: (form: CertificateForm, facts: Readonly<Record<string, string | number>>) => void;
  readonly log: Logger;
  readonly warnDays: number;
}

/** What is told of a certificate; `other` are those that vouch for others. */
export type CertificateForm =
  | 'ends-soon'
  | 'ended'
  | 'not-yet'
  | 'renewed'
  | 'clients-renewed'
  | 'refused'
  | 'other-ends-soon'
  | 'other-ended';

const A_DAY_MS = 86_400_000;
/** Characters of what was wrong with one. */
const MOST_SAID = 1_000;
const LOOK_EVERY_MS = 3_600_000;

const PAIR = 'tls must have a cert and a key that go together, both in PEM';

/** What an embedder calls the parts of an identity. */
export const GIVEN = {
  cert: `${PAIR}: of the cert`,
  key: `${PAIR}: of the key`,
  pair: PAIR,
  clientCa: 'tls.clientCa must be certificates in PEM',
} as const;

interface Ending {
  readonly subject: string;
  readonly from: number;
  readonly until: number;
}

interface Shown extends Ending {
  readonly pem: string;
}

/** Of the first: the others of a chain are there for whoever needs them, and one that has ended need hurt nobody. */
function shownBy({ cert }: TlsIdentity): Shown {
  const [first] = certificatesIn(cert);
  if (first === undefined) throw new Error('an identity without a certificate is not fit');
  return { ...timesOf(first), pem: cert.toString() };
}

/** Those that vouch for it, as far as they are shown along with it, and those that vouch for clients. */
function othersIn({ cert, clientCa = '' }: TlsIdentity): readonly Ending[] {
  return [...certificatesIn(cert).slice(1), ...certificatesIn(clientCa)].map(timesOf);
}

function timesOf(certificate: ReturnType<typeof certificatesIn>[number]): Ending {
  return {
    subject: subjectOf(certificate),
    from: Date.parse(certificate.validFrom),
    until: Date.parse(certificate.validTo),
  };
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}
