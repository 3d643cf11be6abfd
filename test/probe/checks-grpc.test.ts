import { createServer as createHttp } from 'node:http';
import { createServer as createH2, createSecureServer, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import type { Socket } from 'node:net';
import { Server, ServerCredentials, type sendUnaryData, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import type { CheckKind } from '../../src/registry/checks.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { answering, CERT, deadPort, KEY, listening, loopbackChecks, outcomeOf, patience, target } from './peers.ts';

failOnLeaks();

type GrpcCheck = Extract<CheckKind, { type: 'grpc' }>;

function grpc(parts: Partial<GrpcCheck> = {}): GrpcCheck {
  return { type: 'grpc', service: '', tls: false, verify: true, ...parts };
}

const [UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN] = [0, 1, 2, 3];

/** What grpc-js says for what is asked, byte by byte. */
async function grpcServer(
  check: ((service: string, answer: sendUnaryData<Buffer>) => void) | undefined,
  credentials = ServerCredentials.createInsecure(),
): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = new Server();
  const same = (bytes: Buffer) => bytes;
  const method = {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  if (check !== undefined)
    server.addService(
      { Check: method },
      // A field of a message is its tag, its length and its text.
      {
        Check: ({ request }: { request: Buffer }, answer: sendUnaryData<Buffer>) => check(request.subarray(2).toString(), answer),
      },
    );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  return {
    port,
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  };
}

const saying = (serving: number) => Buffer.from([8, serving]);

describe('a server of grpc-js', () => {
  it.each<readonly [what: string, answer: (answer: sendUnaryData<Buffer>) => void, outcome: string]>([
    ['SERVING', (answer) => answer(null, saying(SERVING ?? 0)), 'passes'],
    ['NOT_SERVING', (answer) => answer(null, saying(NOT_SERVING ?? 0)), 'NOT_SERVING, at-once'],
    ['SERVICE_UNKNOWN', (answer) => answer(null, saying(SERVICE_UNKNOWN ?? 0)), 'SERVICE_UNKNOWN, at-once'],
    ['UNKNOWN', (answer) => answer(null, saying(UNKNOWN ?? 0)), 'call failed, counted'],
    ['nothing', (answer) => answer(null, Buffer.alloc(0)), 'call failed, counted'],
    ['another status', (answer) => answer(null, saying(77)), 'call failed, counted'],
    ['what is no message', (answer) => answer(null, Buffer.from([0xff, 0xff])), 'call failed, counted'],
    ['a message that is far too long', (answer) => answer(null, Buffer.alloc(100_000, 8)), 'call failed, counted'],
    ['NOT_FOUND', (answer) => answer({ code: status.NOT_FOUND }), 'SERVICE_UNKNOWN, at-once'],
    ['UNIMPLEMENTED', (answer) => answer({ code: status.UNIMPLEMENTED }), 'UNIMPLEMENTED, at-once'],
    ['UNAVAILABLE', (answer) => answer({ code: status.UNAVAILABLE, details: 'secret' }), 'call failed, counted'],
  ])('that says %s', async (_what, say, outcome) => {
    const asked: string[] = [];
    await using server = await grpcServer((service, answer) => {
      asked.push(service);
      say(answer);
    });
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(server.port, grpc({ service: 'shop.Orders' })), patience()))).toBe(outcome);
    expect(asked).toEqual(['shop.Orders']);
  });

  it('that has no health service', async () => {
    await using server = await grpcServer(undefined);
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(server.port, grpc()), patience()))).toBe('UNIMPLEMENTED, at-once');
  });

  it('that never answers is waited for until the signal aborts', async () => {
    const patienceEnds = new AbortController();
    await using server = await grpcServer(() => patienceEnds.abort());
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(server.port, grpc()), patienceEnds.signal))).toBe('timed out, slow');
  });

  it.each<readonly [what: string, ca: string | undefined, verify: boolean, outcome: string]>([
    ['is trusted', CERT, true, 'passes'],
    ['nobody trusts', undefined, true, 'certificate not trusted, at-once'],
    ['nobody asks for', undefined, false, 'passes'],
  ])('over TLS with a certificate that %s', async (_what, ca, verify, outcome) => {
    const credentials = ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(CERT), private_key: Buffer.from(KEY) }]);
    await using server = await grpcServer((_service, answer) => answer(null, saying(1)), credentials);
    await using checks = loopbackChecks({ ca });
    expect(await outcomeOf(checks.check(target(server.port, grpc({ tls: true, verify })), patience()))).toBe(outcome);
  });
});

describe('HTTP/2 that', () => {
  const GRPC = { ':status': 200, 'content-type': 'application/grpc' };
  const SERVING_FRAME = Buffer.from([0, 0, 0, 0, 2, 8, 1]);
  const trailing = (stream: ServerHttp2Stream, trailers: Record<string, string>) => {
    stream.respond(GRPC, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  };

  it.each<readonly [what: string, answer: (stream: ServerHttp2Stream, socket: Socket) => void, outcome: string]>([
    [
      'sends a message and its status',
      (stream) => {
        trailing(stream, { 'grpc-status': '0' });
        stream.end(SERVING_FRAME);
      },
      'passes',
    ],
    [
      'sends a message in pieces',
      (stream) => {
        trailing(stream, { 'grpc-status': '0' });
        stream.write(SERVING_FRAME.subarray(0, 3), () => stream.end(SERVING_FRAME.subarray(3)));
      },
      'passes',
    ],
    [
      'sends two messages',
      (stream) => {
        trailing(stream, { 'grpc-status': '0' });
        stream.end(Buffer.concat([SERVING_FRAME, SERVING_FRAME]));
      },
      'call failed, counted',
    ],
    [
      'compresses its message',
      (stream) => {
        trailing(stream, { 'grpc-status': '0' });
        stream.end(Buffer.from([1, 0, 0, 0, 2, 8, 1]));
      },
      'call failed, counted',
    ],
    [
      'sends a message and then fails',
      (stream) => {
        trailing(stream, { 'grpc-status': '14' });
        stream.end(SERVING_FRAME);
      },
      'call failed, counted',
    ],
    [
      'says OK and nothing',
      (stream) => stream.respond({ ...GRPC, 'grpc-status': '0' }, { endStream: true }),
      'call failed, counted',
    ],
    [
      'has trailers only',
      (stream) => stream.respond({ ...GRPC, 'grpc-status': '12' }, { endStream: true }),
      'UNIMPLEMENTED, at-once',
    ],
    [
      'sends no status',
      (stream) => {
        stream.respond(GRPC);
        stream.end(SERVING_FRAME);
      },
      'call failed, counted',
    ],
    ['has another type', (stream) => stream.respond({ ':status': 200, 'content-type': 'text/html' }), 'not gRPC, at-once'],
    ['knows no such path', (stream) => stream.respond({ ':status': 404 }, { endStream: true }), 'not gRPC, at-once'],
    [
      'is a proxy of what is not there',
      (stream) => stream.respond({ ':status': 503 }, { endStream: true }),
      'call failed, counted',
    ],
    ['resets the stream', (stream) => stream.close(8), 'call failed, counted'],
    ['goes away with an error', (stream) => stream.session?.goaway(11), 'call failed, counted'],
    ['drops the connection', (_stream, socket) => socket.resetAndDestroy(), 'call failed, counted'],
    [
      'sends messages for ever',
      (stream) => {
        stream.respond(GRPC);
        const more = () => {
          while (stream.writable && stream.write(SERVING_FRAME));
        };
        stream.on('drain', more);
        more();
      },
      'call failed, counted',
    ],
  ])('%s', async (_what, answer, outcome) => {
    const server = createH2();
    server.once('connection', (socket) =>
      server.on('stream', (stream) => {
        stream.on('error', () => {});
        answer(stream, socket);
      }),
    );
    server.on('session', (session) => session.on('error', () => {}));
    await using peer = await listening(server);
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, grpc()), patience()))).toBe(outcome);
    expect(peer.connections).toBe(1);
  });

  it('begins to answer and stops is waited for until the signal aborts', async () => {
    const patienceEnds = new AbortController();
    const server = createH2();
    server.on('stream', (stream) => {
      stream.on('error', () => {});
      stream.respond(GRPC);
      stream.write(SERVING_FRAME, () => patienceEnds.abort());
    });
    await using peer = await listening(server);
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, grpc()), patienceEnds.signal))).toBe('timed out, slow');
  });

  it('is spoken over TLS, is called by the name that was registered', async () => {
    let authority: string | undefined;
    const server = createSecureServer({ cert: CERT, key: KEY });
    server.on('stream', (stream, headers) => {
      authority = headers[':authority'];
      stream.respond({ ...GRPC, 'grpc-status': '5' }, { endStream: true });
    });
    await using peer = await listening(server);
    await using checks = loopbackChecks({ ca: CERT, resolveNames: true });
    const outcome = await outcomeOf(checks.check(target(peer.port, grpc({ tls: true }), 'localhost'), patience()));
    expect(outcome).toBe('SERVICE_UNKNOWN, at-once');
    expect(authority).toBe(`localhost:${peer.port}`);
  });
});

describe('what is not HTTP/2', () => {
  it.each<readonly [what: string, answer: (socket: Socket) => void, outcome: string]>([
    ['HTTP/1.1', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'), 'not gRPC, at-once'],
    ['something else', (socket) => socket.write('SSH-2.0-OpenSSH_9.2p1 Debian\r\n'), 'not gRPC, at-once'],
    ['a reset', (socket) => socket.resetAndDestroy(), 'connection ended, counted'],
    ['an end', (socket) => socket.end(), 'connection ended, counted'],
  ])('%s', async (_what, answer, outcome) => {
    await using peer = await answering(answer);
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, grpc()), patience()))).toBe(outcome);
  });

  it("Node's HTTP/1.1", async () => {
    await using peer = await listening(createHttp((_req, res) => res.end()));
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, grpc()), patience()))).toBe('not gRPC, at-once');
  });

  it('a TLS port that speaks HTTP/1.1 alone', async () => {
    await using peer = await listening(createHttps({ cert: CERT, key: KEY }));
    await using checks = loopbackChecks({ ca: CERT });
    expect(await outcomeOf(checks.check(target(peer.port, grpc({ tls: true })), patience()))).toBe('not gRPC, at-once');
  });

  it('a port without TLS that is asked with it', async () => {
    await using peer = await listening(createH2());
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, grpc({ tls: true })), patience()))).toBe('no TLS, at-once');
  });

  it('nobody', async () => {
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(await deadPort(), grpc()), patience()))).toBe('refused, at-once');
  });
});
