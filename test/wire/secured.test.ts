import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { type Peer, peerOf } from '../../src/wire/exchange.ts';
import type { CallRoute, DuplexRoute, Lanes } from '../../src/wire/lanes.ts';
import { listen, type PortOptions } from '../../src/wire/listener.ts';
import type { PeerCertificate } from '../../src/wire/peer-certificate.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { Authority, type Issued } from '../support/certificates.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { LIMITS } from '../support/limits.ts';
import { dial, exchange, hear } from '../support/raw.ts';

failOnLeaks();

const authority = new Authority();
const foreign = new Authority('another authority');
const identity = authority.issueForServer();
const asking = { ...identity, clientCa: authority.cert };
const orders = authority.issue({ commonName: 'orders', names: ['URI:spiffe://td/orders'] });
const stranger = foreign.issue({ commonName: 'orders', names: ['URI:spiffe://td/orders'] });
const ended = authority.issue({ commonName: 'orders', until: new Date('2021-01-01T00:00:00Z') });
const ORDERS: PeerCertificate = {
  subject: 'CN=orders',
  subjectAltName: 'URI:spiffe://td/orders',
  validUntil: Date.parse('2120-01-01T00:00:00Z'),
};
const RULES = { minVersion: 'TLSv1.2', ciphers: '', requiresCertificate: false } as const;
const REQUIRED = { ...RULES, requiresCertificate: true };

type Given = Pick<PortOptions, 'tls' | 'tlsOnly'> & {
  readonly rules?: Partial<NonNullable<PortOptions['tlsRules']>>;
  readonly handshakeTimeoutMs?: number;
};

/** Each way there is, by its path; what is answered says who asked. */
const PATHS = ['/usual', '/lane', '/duplex'] as const;
const said = ({ certificate, isEncrypted }: Peer) => JSON.stringify({ certificate, isEncrypted });
const lane: CallRoute = {
  maxBodyBytes: 10,
  mayWait: () => true,
  serve(_, __, reply) {
    reply.send({ head: { ':status': 200 }, body: Buffer.from(said(reply.peer())), trailers: undefined });
    return true;
  },
};
const duplex: DuplexRoute = {
  open(_, stream) {
    const listener = { read() {}, written() {}, closed() {} };
    const ended = () => {
      stream.write({ ':status': 200 }, [Buffer.from(said(stream.peer()))]);
      stream.end({ ':status': 200 }, {});
    };
    return { ...listener, ended };
  },
};
const lanes: Lanes = {
  request: (req, res) => void res.end(said(peerOf(req))),
  calls: { routeOf: ({ path }) => (path === '/lane' ? lane : path === '/duplex' ? duplex : undefined) },
};

/** A port, and clients of it that trust it. For `await using`. */
async function opened({ tls = asking, tlsOnly = false, rules = {}, handshakeTimeoutMs = LIMITS.handshakeTimeoutMs }: Given = {}) {
  const failures: string[] = [];
  const limits = { ...LIMITS, handshakeTimeoutMs };
  const failed = (reason: string) => void failures.push(reason);
  const tlsRules = { ...RULES, ...rules, failed };
  const port = await listen('127.0.0.1', 0, lanes, { limits, scheduler: systemScheduler, tls, tlsRules, tlsOnly });
  const dialled = (options: ConnectionOptions) => {
    const [host = '', number] = port.address.split(':');
    const socket = connect({ host, port: Number(number), ca: [authority.cert, foreign.cert], ...options });
    socket.on('error', () => {});
    return socket;
  };
  /** How a handshake ended, and what it left for the next one. A session comes with the first answer. */
  const visited = async (options: ConnectionOptions = {}) => {
    const socket = dialled(options);
    let session: Buffer | undefined;
    socket.on('session', (one) => {
      session = one;
    });
    let error = '';
    socket.on('error', (cause) => {
      error = cause.message;
    });
    let facts = { isResumed: false, protocol: '', cipher: '', subject: '' };
    socket.on('secureConnect', () => {
      const { name = '' } = socket.getCipher();
      const { subject = '' } = socket.getPeerX509Certificate() ?? {};
      facts = { isResumed: socket.isSessionReused(), protocol: socket.getProtocol() ?? '', cipher: name, subject };
    });
    socket.write('GET /usual HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const heard = await hear(socket);
    const body = heard.split('\r\n\r\n')[1];
    // What is said by `said`.
    const who = body ? (JSON.parse(body) as Peer) : undefined;
    return { ...facts, session, error, isServed: heard.startsWith('HTTP/1.1 200'), certificate: who?.certificate };
  };
  const overHttp2 = async (mine: Partial<Issued>) => {
    const session = connectHttp2(`https://${port.address}`, { ca: authority.cert, ...mine });
    const answers = [];
    for (const path of PATHS) {
      const stream = session.request({ ':path': path });
      stream.setEncoding('utf8');
      answers.push(JSON.parse((await stream.toArray()).join('')));
    }
    session.destroy();
    return answers;
  };
  const dispose = () => port.close(AbortSignal.abort());
  return { ...port, failures, dialled, visited, overHttp2, [Symbol.asyncDispose]: dispose };
}

const shaken = async (socket: TLSSocket) => {
  await once(socket, 'secureConnect');
  return socket;
};

describe('what a client has shown on TLS', () => {
  it('is known by every request of its connection, in the lane and beside it', async () => {
    await using room = await opened();
    const certified = { certificate: ORDERS, isEncrypted: true };
    expect(await room.overHttp2(orders)).toEqual([certified, certified, certified]);
    expect(await room.visited(orders)).toMatchObject({ isServed: true, certificate: ORDERS });
  });

  it('is nothing where it shows nothing, nobody vouches for it, or nobody asks', async () => {
    const nobody = { isEncrypted: true };
    await using room = await opened();
    for (const mine of [{}, stranger, ended]) {
      expect(await room.overHttp2(mine)).toEqual([nobody, nobody, nobody]);
      expect(await room.visited(mine)).toMatchObject({ isServed: true, certificate: undefined });
    }
    await using incurious = await opened({ tls: identity });
    expect(await incurious.overHttp2(orders)).toEqual([nobody, nobody, nobody]);
    expect(await incurious.visited(orders)).toMatchObject({ isServed: true, certificate: undefined });
  });

  it('is known where it comes with all between it and those who vouch, or they are named as well', async () => {
    const below = new Authority('an authority below', authority);
    const theirs = below.issue({ commonName: 'orders', names: ['URI:spiffe://td/orders'] });
    const chained = { ...theirs, cert: theirs.cert + below.cert };
    await using above = await opened();
    expect(await above.visited(theirs)).toMatchObject({ certificate: undefined });
    expect(await above.visited(chained)).toMatchObject({ certificate: ORDERS });
    await using room = await opened({ tls: { ...identity, clientCa: authority.cert + below.cert } });
    expect(await room.visited(theirs)).toMatchObject({ certificate: ORDERS });
  });

  it('is nothing in cleartext', async () => {
    await using room = await opened();
    const answer = await exchange(room.address, ['GET /usual HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n']);
    expect(answer).toMatch(/\r\n\r\n\{"isEncrypted":false\}$/);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is known again when a session of %s is resumed, and only if there was one',
    async (v) => {
      await using room = await opened();
      const version = { minVersion: v, maxVersion: v };
      const first = await room.visited({ ...orders, ...version });
      expect(first.isResumed).toBe(false);
      expect(await room.visited({ ...version, ...(first.session && { session: first.session }) })).toMatchObject({
        isResumed: true,
        certificate: ORDERS,
      });
      for (const mine of [{}, stranger]) {
        const { session } = await room.visited({ ...mine, ...version });
        // With TLS 1.3 Node 20 has it for authorized.
        expect(await room.visited({ ...version, ...(session && { session }) })).toMatchObject({
          isServed: true,
          isResumed: true,
          certificate: undefined,
        });
      }
    },
  );
});

describe('a port that requires certificates', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('serves over %s whoever has one, and nobody else', async (v) => {
    await using room = await opened({ rules: REQUIRED });
    const version = { minVersion: v, maxVersion: v };
    expect(await room.visited({ ...orders, ...version })).toMatchObject({ isServed: true, certificate: ORDERS });
    const without = await room.visited(version);
    const foreigner = await room.visited({ ...stranger, ...version });
    expect([without.isServed, foreigner.isServed]).toEqual([false, false]);
    expect(room.failures).toHaveLength(2);
    // Nor by what they may have been given before they were sent away.
    for (const { session } of [without, foreigner])
      expect(await room.visited({ ...version, ...(session && { session }) })).toMatchObject({ isServed: false });
  });

  it('resumes no session of one that does not', async () => {
    await using open = await opened();
    await using room = await opened({ rules: REQUIRED });
    const { session } = await open.visited();
    if (session === undefined) throw new Error('there is no session to be resumed');
    expect((await open.visited({ session })).isResumed).toBe(true);
    expect(await room.visited({ session })).toMatchObject({ isServed: false });
    expect(await room.visited({ ...orders, session })).toMatchObject({ isServed: true, isResumed: false, certificate: ORDERS });
  });
});

describe('another identity', () => {
  it('is shown to whoever comes from then on, while connections that there are go on', async () => {
    await using room = await opened();
    const { session } = await room.visited(orders);
    const held = await shaken(room.dialled(orders));
    room.renew({ ...authority.issueForServer({ commonName: 'renewed' }), clientCa: authority.cert });
    const resumed = await room.visited({ ...orders, ...(session && { session }) });
    expect(resumed).toMatchObject({ isServed: true, isResumed: false, subject: 'CN=renewed', certificate: ORDERS });
    held.write('GET /usual HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await hear(held)).toContain('spiffe://td/orders');
  });

  it('that trusts one more to vouch for clients takes them too, and ends no connection', async () => {
    await using room = await opened();
    const held = await shaken(room.dialled(orders));
    room.renew({ ...identity, clientCa: authority.cert + foreign.cert });
    expect(await room.visited(stranger)).toMatchObject({ certificate: ORDERS });
    held.write('GET /usual HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await hear(held)).toContain('spiffe://td/orders');
  });

  it('that trusts one less cuts whoever has shown a certificate, and resumes none of their sessions', async () => {
    await using room = await opened({ tls: { ...identity, clientCa: authority.cert + foreign.cert } });
    const { session } = await room.visited(stranger);
    const held = await shaken(room.dialled(stranger));
    const anonymous = await shaken(room.dialled({}));
    const half = await dial(room.address);
    // A record of 512 bytes is to follow.
    half.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
    // In their order: the half one has been heard of by then.
    await room.visited();
    const ends = [once(held.resume(), 'close'), once(half.resume(), 'close')];
    room.renew(asking);
    await Promise.all(ends);
    expect(await room.visited({ ...(session && { session }) })).toMatchObject({ isResumed: false, certificate: undefined });
    expect(await room.visited(stranger)).toMatchObject({ certificate: undefined });
    anonymous.write('GET /usual HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await hear(anonymous)).toMatch(/^HTTP\/1.1 200 /);
  });
});

describe('a handshake', () => {
  it('chooses HTTP/2 where it can, HTTP/1.1 where it is asked for or nothing is said, and else nothing', async () => {
    await using room = await opened();
    const chosen = async (ALPNProtocols: string[]) => {
      const socket = await shaken(room.dialled({ ALPNProtocols }));
      socket.destroy();
      return socket.alpnProtocol;
    };
    expect(await chosen(['http/1.1', 'h2'])).toBe('h2');
    expect(await chosen(['http/1.1', 'x'])).toBe('http/1.1');
    expect(await chosen([])).toBe(false);
    const { error, isServed } = await room.visited({ ALPNProtocols: ['h3', 'http/1.0'] });
    expect([error, isServed]).toEqual([expect.stringContaining('alert no application protocol'), false]);
  });

  it('that takes too long is ended, and told of', async () => {
    await using room = await opened({ handshakeTimeoutMs: 50 });
    const half = await dial(room.address);
    half.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
    await once(half.resume(), 'close');
    expect(room.failures).toEqual(['ERR_TLS_HANDSHAKE_TIMEOUT']);
  });

  it('speaks no older version than is wanted', async () => {
    await using room = await opened();
    await using newest = await opened({ rules: { minVersion: 'TLSv1.3' } });
    const old = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
    // OpenSSL has its own ideas of what is too old to be spoken.
    const older = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect(await room.visited(old)).toMatchObject({ isServed: true, protocol: 'TLSv1.2' });
    expect(await room.visited(older)).toMatchObject({
      isServed: false,
      error: expect.stringContaining('alert protocol version'),
    });
    expect(await newest.visited(old)).toMatchObject({
      isServed: false,
      error: expect.stringContaining('alert protocol version'),
    });
    expect(await newest.visited()).toMatchObject({ isServed: true, protocol: 'TLSv1.3' });
  });

  it.each([
    ['ECDHE-ECDSA-AES256-GCM-SHA384', 'TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
    ['tls_aes_128_gcm_sha256', 'TLSv1.3', 'TLS_AES_128_GCM_SHA256'],
    ['TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384', 'TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256'],
  ])('by %s is one of %s', async (ciphers, protocol, cipher) => {
    await using room = await opened({ rules: { ciphers } });
    expect(await room.visited()).toMatchObject({ isServed: true, protocol, cipher });
    const others = { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const;
    expect(await room.visited(others)).toMatchObject({ isServed: false });
  });

  it('is not had a second time on the same connection', async () => {
    await using room = await opened();
    const socket = await shaken(room.dialled({ maxVersion: 'TLSv1.2' }));
    const failed = await new Promise<Error | null>((resolve) => {
      socket.on('error', resolve);
      socket.renegotiate({ rejectUnauthorized: false }, resolve);
    });
    expect(failed).toMatchObject({ code: 'ERR_SSL_NO_RENEGOTIATION' });
    socket.destroy();
    expect(await room.visited()).toMatchObject({ isServed: true });
  });
});

describe('whoever speaks cleartext to a port with nothing but TLS', () => {
  it('is told so over HTTP/1.1', async () => {
    await using room = await opened({ tlsOnly: true });
    const post = 'POST /usual HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n';
    const answer = await exchange(room.address, [post, 'abcde']);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toMatch(/\r\n\r\nthis port speaks TLS only: use https\n$/);
  });

  it('is told so over HTTP/2', async () => {
    await using room = await opened({ tlsOnly: true });
    const session = connectHttp2(`http://${room.address}`);
    session.on('error', () => {});
    const [code, lastStream, text] = await once(session, 'goaway');
    expect([code, lastStream, String(text)]).toEqual([0x0c, 0, 'this port speaks TLS only: use https']);
    await new Promise((resolve) => session.once('close', resolve));
  });

  it('is let go when it hears nothing and says no more', async () => {
    await using room = await opened({ tlsOnly: true });
    const socket = await dial(room.address);
    socket.write('HELO\r\n');
    expect(await hear(socket)).toContain('TLS only');
  });
});
