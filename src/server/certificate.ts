import type { Logger } from 'pino';
import { certificatesIn, identityFaults, subjectOf, type TlsIdentity } from '../wire/identity.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';
import type { Look } from './readiness.ts';

/**
 * The certificate that TLS shows: until when it is valid, whether the last new one could be used, and how many were not content with what
 * they saw. It warns of the end in time, and holds no key.
 */
export class Certificate {
  /** Handshakes that came to nothing, whoever is to blame. */
  failedHandshakes = 0;
  readonly #room: CertificateRoom;
  readonly #stop: Cancel;
  #shown: Shown;
  #trouble: string | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;
  #hasSaidEnd = false;

  /** `identity` must be fit. */
  constructor(identity: TlsIdentity, room: CertificateRoom) {
    this.#room = room;
    this.#shown = shownBy(identity);
    this.#stop = room.scheduler.every(LOOK_EVERY_MS, () => this.#look());
    this.#look();
  }

  /** Milliseconds since 1970. */
  get validUntil(): number {
    return this.#shown.until;
  }

  /** Another one is shown from now on. */
  put(identity: TlsIdentity): void {
    const before = this.#shown.pem;
    this.#shown = shownBy(identity);
    this.#trouble = undefined;
    this.#saidAt = Number.NEGATIVE_INFINITY;
    this.#hasSaidEnd = false;
    const isSame = this.#shown.pem === before;
    this.#room.log.info(
      this.#facts(),
      isSame ? 'who vouches for clients over TLS was renewed' : 'the certificate of TLS was renewed',
    );
    this.#look();
  }

  /** A new one cannot be used, and the one before stays. */
  refuse(reasons: readonly string[]): void {
    this.#trouble = reasons.join('; ');
    this.#room.log.error({ ...this.#facts(), reasons }, 'the new certificate of TLS cannot be used, the one before stays');
  }

  handshakeFailed(reason: string, ip: string | undefined): void {
    this.failedHandshakes++;
    this.#room.log.debug({ reason, ip }, 'a TLS handshake failed');
  }

  look(): Look {
    const { subject, until } = this.#shown;
    const hasEnded = this.#room.wallClock() >= until;
    const end = `${hasEnded ? 'ended' : 'valid until'} ${dateOf(until)}`;
    const trouble = this.#trouble === undefined ? '' : `, the new one cannot be used: ${this.#trouble}`;
    const says = `${subject} ${end}, ${this.failedHandshakes} handshakes failed${trouble}`;
    return { ok: trouble === '' && !hasEnded, says };
  }

  stop(): void {
    this.#stop();
  }

  #look(): void {
    const { wallClock, log, warnDays } = this.#room;
    const now = wallClock();
    const { from, until } = this.#shown;
    const hasEnded = now >= until;
    if (hasEnded === this.#hasSaidEnd && now - this.#saidAt < A_DAY_MS) return;
    if (hasEnded) log.error(this.#facts(), 'the certificate of TLS has ended');
    else if (until - now <= warnDays * A_DAY_MS)
      log.warn({ ...this.#facts(), days: Math.floor((until - now) / A_DAY_MS) }, 'the certificate of TLS ends soon');
    else if (now < from) log.warn({ ...this.#facts(), from: dateOf(from) }, 'the certificate of TLS is not valid yet');
    else return;
    this.#saidAt = now;
    this.#hasSaidEnd = hasEnded;
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
  readonly log: Logger;
  readonly warnDays: number;
}

const A_DAY_MS = 86_400_000;
const LOOK_EVERY_MS = 3_600_000;

/** In the words of an embedder; empty where it can be used. */
export function faultsOf(identity: TlsIdentity): readonly string[] {
  return identityFaults(identity).map(({ part, reason }) =>
    part === 'clientCa'
      ? `tls.clientCa must be certificates in PEM: ${reason}`
      : `tls must have a cert and a key that go together, both in PEM: ${part === 'pair' ? '' : `of the ${part}, `}${reason}`,
  );
}

interface Shown {
  readonly pem: string;
  readonly subject: string;
  readonly from: number;
  readonly until: number;
}

/** Of the first: the others of a chain are there for whoever needs them, and one that has ended need hurt nobody. */
function shownBy({ cert }: TlsIdentity): Shown {
  const [first] = certificatesIn(cert);
  if (first === undefined) throw new Error('an identity without a certificate is not fit');
  return { pem: cert.toString(), subject: subjectOf(first), from: Date.parse(first.validFrom), until: Date.parse(first.validTo) };
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}
