import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp1 } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, createServer, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { AskedOverHttp } from '../../src/access/asked-over-http.ts';
import { certificateName, certificateOf } from '../../src/access/certificates.ts';
import type { Serve } from '../../src/wire/exchange.ts';
import { http2Serving } from '../support/http2-serving.ts';
import { failOnLeaks } from '../support/leaks.ts';

failOnLeaks();

describe('what a certificate is called', () => {
  it.each<readonly [subject: string, subjectAltName: string, name: string | undefined]>([
    ['CN=orders', '', 'CN=orders'],
    ['O=shop\nCN=orders', 'DNS:orders.example', 'CN=orders'],
    ['CN=orders', 'URI:spiffe://td/ns/shop/sa/orders', 'spiffe://td/ns/shop/sa/orders'],
    ['CN=orders', 'DNS:orders, URI:spiffe://td/orders, IP Address:10.0.0.1', 'spiffe://td/orders'],
    // What could be read in two ways is no name.
    ['CN=orders', 'URI:spiffe://td/a, URI:spiffe://td/b', undefined],
    ['CN=orders', 'URI:https://orders.example', undefined],
    ['CN=orders', 'DNS:"x, URI:spiffe://td/admin"', undefined],
    ['CN=orders', 'URI:spiffe://td/admin, DNS:"a,b"', undefined],
    ['CN=orders\nCN=admin', '', undefined],
    ['CN=orders, CN=admin', '', undefined],
    ['CN=orders+O=x', '', undefined],
    ['CN="orders"', '', undefined],
    ['CN=a b', '', undefined],
    ['CN=', '', undefined],
    ['O=shop', '', undefined],
    ['', '', undefined],
  ])('%j with %j is %s', (subject, subjectAltName, name) => {
    expect(certificateName({ subject, subjectAltName })).toBe(name);
  });
});

const FILES = join(import.meta.dirname, '../fixtures/tls');
const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(FILES, name)));

/** A server that asks for a certificate and takes whoever has none; what each connection is called. */
async function tlsRoom({ isVouchedFor = true } = {}) {
  const names: (string | undefined)[] = [];
  const authorized: boolean[] = [];
  const server = createServer(
    { cert, key, ...(isVouchedFor && { ca: cert }), requestCert: true, rejectUnauthorized: false },
    (socket) => {
      names.push(certificateOf(socket)?.name);
      authorized.push(socket.authorized);
      socket.on('error', () => {});
      socket.end('x');
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens has an address of this kind.
  const { port } = server.address() as AddressInfo;
  const visit = async (
    options: ConnectionOptions,
  ): Promise<{ readonly session: Buffer | undefined; readonly isResumed: boolean }> => {
    const tcp = connectTcp(port, '127.0.0.1');
    const socket: TLSSocket = connect({ socket: tcp, rejectUnauthorized: false, ...options });
    let session: Buffer | undefined;
    socket.on('session', (one) => {
      session = one;
    });
    let isResumed = false;
    socket.on('secureConnect', () => {
      isResumed = socket.isSessionReused();
    });
    socket.resume();
    await once(socket, 'close');
    return { session, isResumed };
  };
  const dispose = async () => {
    server.close();
    await once(server, 'close');
  };
  return { names, authorized, visit, [Symbol.asyncDispose]: dispose };
}

describe('over TLS', () => {
  it('who brings a certificate is called by it, and who brings none is nobody', async () => {
    await using room = await tlsRoom();
    await room.visit({ cert, key });
    await room.visit({});
    expect(room.names).toEqual([expect.stringMatching(/^CN=/), undefined]);
  });

  it('who brings a certificate that nobody vouches for is nobody', async () => {
    await using room = await tlsRoom({ isVouchedFor: false });
    await room.visit({ cert, key });
    expect([room.names, room.authorized]).toEqual([[undefined], [false]]);
  });

  // On Node 20 that one is authorized, as Node has it; on 24 no more.
  it('who resumes a session without a certificate is nobody, whatever Node says of him', async () => {
    await using room = await tlsRoom();
    const { session } = await room.visit({});
    const { isResumed } = await room.visit(session === undefined ? {} : { session });
    expect(isResumed).toBe(true);
    expect(room.authorized[0]).toBe(false);
    expect(room.names).toEqual([undefined, undefined]);
  });

  it('who resumes a session that began with a certificate has shown it then, and is called by it', async () => {
    await using room = await tlsRoom();
    const { session } = await room.visit({ cert, key });
    const { isResumed } = await room.visit(session === undefined ? {} : { session });
    expect(isResumed).toBe(true);
    expect(room.names).toEqual(['CN=localhost', 'CN=localhost']);
  });

  it.each(['h2', 'http/1.1'])('a request says by %s what its certificate is called', async (protocol) => {
    const names: (string | undefined)[] = [];
    const options = { cert, key, ca: cert, requestCert: true, rejectUnauthorized: false, ALPNProtocols: [protocol] };
    const request: Serve = (req, res) => {
      names.push(new AskedOverHttp(req, { example: 'x' }).certificate?.name);
      res.end();
    };
    const http1 = createHttp1(request);
    const http2 = http2Serving(request);
    const server = createServer(options, (socket) => {
      if (protocol === 'h2') http2.serve(socket);
      else http1.emit('connection', socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A server that listens has an address of this kind.
    const { port } = server.address() as AddressInfo;
    for (const mine of [{ cert, key }, {}]) {
      if (protocol === 'h2') {
        const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, ...mine });
        const stream = session.request({});
        stream.resume();
        await once(stream, 'close');
        session.close();
        await once(session, 'close');
      } else {
        const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: [protocol], ...mine });
        socket.end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
        socket.resume();
        await once(socket, 'close');
      }
    }
    server.close();
    await once(server, 'close');
    expect(names).toEqual(['CN=localhost', undefined]);
  });
});
