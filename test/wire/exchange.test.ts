import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { headerOf, isGrpcType, localAddressOf, pathOf, peerOf, queryOf, type Request } from '../../src/wire/exchange.ts';
import { Http2Peer } from '../../src/wire/http2-peer.ts';

/** Only as much of a request as is looked at. */
const request = (fields: object) => fields as Request;

describe('a request target', () => {
  it.each([
    ['/a/b?c=d', '/a/b', 'c=d'],
    ['/a', '/a', ''],
    ['/a?', '/a', ''],
    ['/a?b?c', '/a', 'b?c'],
    ['', '', ''],
    [undefined, '', ''],
  ])('%j is a path and a query', (url, path, query) => {
    expect([pathOf(request({ url })), queryOf(request({ url }))]).toEqual([path, query]);
  });
});

describe('a peer', () => {
  const socket = { remoteAddress: '::ffff:10.0.0.1', remotePort: 5_000, localAddress: '::ffff:10.0.0.2', localPort: 80 };

  it('over HTTP/1 is its socket, and its address is plain', () => {
    expect(peerOf(request({ socket }))).toMatchObject({ ip: '10.0.0.1', port: 5_000, connection: socket });
    expect(localAddressOf(request({ socket }))).toBe('10.0.0.2:80');
  });

  it('over HTTP/2 is its connection, whatever the stream', () => {
    const connection = { duplex: socket, owner: undefined, destroy() {} };
    const [one, other] = [{ peer: connection }, { peer: connection }].map((stream) => peerOf(request({ stream })));
    expect(one).toMatchObject({ ip: '10.0.0.1', port: 5_000, connection });
    expect(other).toBe(one);
  });

  it('over HTTP/2 tells the calls that are open when they may write and when they have ended, and none that has ended', () => {
    const connection = { duplex: new Socket(), owner: undefined, close() {}, destroy() {}, append: () => false, finish() {} };
    const peer = Http2Peer.of(connection);
    const told: string[] = [];
    for (const [i, name] of ['a', 'b', 'c'].entries()) {
      const call = { writable: () => told.push(`${name} may write`), closed: () => told.push(`${name} has ended`) };
      peer.opened(i, call);
      if (name !== 'c') peer.waits(call);
    }
    peer.ended(0);
    peer.ended(0);
    peer.writable();
    peer.writable();
    peer.closed();
    peer.closed();
    expect(told).toEqual(['a has ended', 'b may write', 'b has ended', 'c has ended']);
  });

  it.each([
    ['fd00::1', 'fd00::1'],
    ['10.0.0.1', '10.0.0.1'],
    [undefined, ''],
  ])('at %j has the address %j', (remoteAddress, ip) => {
    expect(peerOf(request({ socket: { remoteAddress } })).ip).toBe(ip);
  });
});

it.each([
  ['application/grpc', true],
  ['application/grpc+proto', true],
  ['Application/gRPC-Web-Text; charset=utf-8', true],
  ['application/grpcx', false],
  ['application/json', false],
  ['', false],
])('%j is gRPC: %j', (type, is) => {
  expect(isGrpcType(type)).toBe(is);
});

it('a header is its first value, or nothing', () => {
  expect(headerOf(request({ headers: { a: ['1', '2'] } }), 'a')).toBe('1');
  expect(headerOf(request({ headers: { a: '3' } }), 'a')).toBe('3');
  expect(headerOf(request({ headers: {} }), 'a')).toBe('');
});
