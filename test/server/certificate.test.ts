import { pino } from 'pino';
import { expect, it } from 'vitest';
import { levelOf, wordsOf } from '../../src/events/causes.ts';
import { Certificate, type CertificateForm } from '../../src/server/certificate.ts';
import { Authority, type Wanted } from '../support/certificates.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

const A_DAY_MS = 86_400_000;
const AN_HOUR_MS = 3_600_000;
const UNTIL = new Date('2027-03-01T12:00:00Z');
const authority = new Authority();

/** One that begins so long before its end, and what is said of it. */
function room(beforeEndMs: number, wanted: Wanted = {}, warnDays = 14) {
  const scheduler = new ManualScheduler(UNTIL.getTime() - beforeEndMs);
  const identity = authority.issueForServer({ until: UNTIL, ...wanted });
  const told: [form: CertificateForm, facts: Readonly<Record<string, string | number>>][] = [];
  const certificate = new Certificate(identity, {
    scheduler,
    wallClock: scheduler.now,
    tell: (form, facts) => void told.push([form, facts]),
    log: pino({ enabled: false }),
    warnDays,
  });
  certificate.start();
  return {
    certificate,
    identity,
    scheduler,
    /** What has been said since it was asked last: the level, the words, and how many days are left. */
    said: () =>
      told.splice(0).map(([form, facts]) => {
        const record = { kind: 'bridge', cause: 'certificate', detail: { form, ...facts } } as const;
        const said = [levelOf(record), wordsOf(record)];
        return facts.days === undefined ? said : [...said, facts.days];
      }),
    [Symbol.dispose]: () => certificate.stop(),
  };
}

const INFO = 'info';
const WARN = 'warn';
const ERROR = 'error';
const SOON = 'the certificate of TLS ends soon';
const ENDED = 'the certificate of TLS has ended';

it('a certificate has a warning a day from 14 days before its end, and then an error a day, the first one at once', () => {
  using one = room(15 * A_DAY_MS);
  expect(one.said()).toEqual([]);
  one.scheduler.advance(A_DAY_MS - AN_HOUR_MS);
  expect(one.said()).toEqual([]);
  one.scheduler.advance(AN_HOUR_MS);
  expect(one.said()).toEqual([[WARN, SOON, 14]]);
  one.scheduler.advance(13 * A_DAY_MS + AN_HOUR_MS);
  expect(one.said()).toEqual([13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((days) => [WARN, SOON, days]));
  one.scheduler.advance(22 * AN_HOUR_MS);
  expect(one.said()).toEqual([]);
  one.scheduler.advance(2 * AN_HOUR_MS);
  expect(one.said().slice(-1)).toEqual([[ERROR, ENDED]]);
  one.scheduler.advance(3 * A_DAY_MS);
  expect(one.said()).toEqual([
    [ERROR, ENDED],
    [ERROR, ENDED],
    [ERROR, ENDED],
  ]);
});

it('a certificate that is old at the start says so at once', () => {
  using soon = room(A_DAY_MS + 1);
  using ended = room(-1);
  using early = room(400 * A_DAY_MS, { from: new Date(UNTIL.getTime() - 300 * A_DAY_MS) });
  expect([soon.said(), ended.said()]).toEqual([[[WARN, SOON, 1]], [[ERROR, ENDED]]]);
  expect(early.said()).toEqual([[WARN, 'the certificate of TLS is not valid yet']]);
});

it('a warning that nobody wants is not given, and the end is told all the same', () => {
  using one = room(A_DAY_MS, {}, 0);
  one.scheduler.advance(A_DAY_MS + 2 * AN_HOUR_MS);
  expect(one.said()).toEqual([[ERROR, ENDED]]);
});

it('who vouches for clients is another than the certificate itself', () => {
  using one = room(60 * A_DAY_MS);
  one.said();
  one.certificate.put({ ...one.identity, clientCa: authority.cert });
  expect(one.said()).toEqual([[INFO, 'who vouches for clients over TLS was renewed']]);
});

it('a renewed certificate says so, and when it ends itself', () => {
  using one = room(A_DAY_MS);
  one.said();
  const later = new Date(UNTIL.getTime() + 30 * A_DAY_MS);
  one.certificate.put(authority.issueForServer({ until: later }));
  expect(one.certificate.validUntil).toBe(later.getTime());
  one.scheduler.advance(2 * A_DAY_MS);
  expect(one.said()).toEqual([[INFO, 'the certificate of TLS was renewed']]);
  one.certificate.put(authority.issueForServer({ until: new Date(UNTIL.getTime() + 3 * A_DAY_MS) }));
  expect(one.said()).toEqual([
    [INFO, 'the certificate of TLS was renewed'],
    [WARN, SOON, 2],
  ]);
});

it('it says in a few words how it is, and what was wrong with the one that was to replace it', () => {
  using one = room(A_DAY_MS);
  const { certificate } = one;
  expect(certificate.validUntil).toBe(UNTIL.getTime());
  expect(certificate.look()).toEqual({
    ok: true,
    says: 'CN=localhost valid until 2027-03-01T12:00:00.000Z, 0 handshakes failed',
    validForSeconds: 86_400,
  });
  certificate.handshakeFailed('no certificate', '10.0.0.1');
  certificate.refuse(['a.pem cannot be read', 'b.pem cannot be read']);
  expect(certificate.look()).toEqual({
    ok: false,
    says: 'CN=localhost valid until 2027-03-01T12:00:00.000Z, 1 handshakes failed, the new one cannot be used: a.pem cannot be read; b.pem cannot be read',
    validForSeconds: 86_400,
  });
  certificate.put(authority.issueForServer({ until: UNTIL }));
  expect(certificate.look().ok).toBe(true);
  one.scheduler.advance(2 * A_DAY_MS);
  expect(certificate.look()).toEqual({
    ok: false,
    says: 'CN=localhost ended 2027-03-01T12:00:00.000Z, 1 handshakes failed',
    validForSeconds: -86_400,
  });
});

it.each([
  [{ commonName: 'orders', organization: 'shop' }, 'O=shop, CN=orders'],
  [{ commonName: 'caf\u00e9\nevil' }, 'CN=caf?\\0Aevil'],
  [{ names: ['DNS:orders.example'] }, 'DNS:orders.example'],
  [{}, 'nobody'],
])('it is called by its subject, in plain letters, or by its other names: %j', (wanted, name) => {
  using one = room(A_DAY_MS);
  one.certificate.put(authority.issue({ until: UNTIL, ...wanted }));
  expect(one.certificate.look().says).toContain(`${name} valid until `);
});

it('whoever vouches for others has a warning a day likewise, and the certificate is none the worse for it', () => {
  using one = room(30 * A_DAY_MS, { until: new Date('2100-01-01T00:00:00Z') });
  const above = new Authority('those who vouch', undefined, { until: UNTIL });
  const identity = authority.issueForServer({ until: new Date('2100-01-01T00:00:00Z') });
  one.certificate.put({ ...identity, cert: identity.cert + above.cert, clientCa: authority.cert + above.cert });
  one.scheduler.advance(16 * A_DAY_MS - AN_HOUR_MS);
  expect(one.said()).toEqual([[INFO, 'the certificate of TLS was renewed']]);
  one.scheduler.advance(2 * AN_HOUR_MS);
  const soon = 'a certificate that vouches for others on TLS ends soon';
  // It is there twice, for the certificate and for clients.
  expect(one.said()).toEqual([14, 14].map((days) => [WARN, soon, days]));
  one.scheduler.advance(14 * A_DAY_MS);
  expect(one.said().at(-1)).toEqual([WARN, 'a certificate that vouches for others on TLS has ended']);
  expect(one.certificate.look().ok).toBe(true);
});

it('one that has ended is not to take the place of a good one, but of one that has ended as well', () => {
  using one = room(A_DAY_MS);
  const ended = authority.issueForServer({ until: new Date(UNTIL.getTime() - 2 * A_DAY_MS) });
  expect(one.certificate.faultsOfNext(ended)).toEqual(['CN=localhost has ended already, 2027-02-27T12:00:00.000Z']);
  expect(one.certificate.faultsOfNext(authority.issueForServer({ until: UNTIL }))).toEqual([]);
  one.scheduler.advance(2 * A_DAY_MS);
  expect(one.certificate.faultsOfNext(ended)).toEqual([]);
});
