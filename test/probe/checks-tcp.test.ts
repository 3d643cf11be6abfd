import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { failOnLeaks } from '../support/leaks.ts';
import { deadPort, listening, loopbackChecks, outcomeOf, patience, target } from './peers.ts';

failOnLeaks();

const TCP = { type: 'tcp' } as const;

it('a port that takes the connection is well, and gets it back closed', async () => {
  let closed: () => void = () => {};
  const isClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  await using peer = await listening(createServer((socket) => socket.resume().once('end', closed)));
  await using checks = loopbackChecks();
  expect(await outcomeOf(checks.check(target(peer.port, TCP), patience()))).toBe('passes');
  await isClosed;
});

it('a port that refuses is down at once', async () => {
  await using checks = loopbackChecks();
  expect(await outcomeOf(checks.check(target(await deadPort(), TCP), patience()))).toBe('refused, at-once');
});

it.each(['::1', '[::1]', '::ffff:127.0.0.1', '0:0:0:0:0:ffff:7f00:1'])('%s is reached', async (ip) => {
  await using peer = await listening(createServer(), '::');
  await using checks = loopbackChecks();
  expect(await outcomeOf(checks.check(target(peer.port, TCP, ip), patience()))).toBe('passes');
});

it('what has not connected when the signal aborts has timed out', async () => {
  await using peer = await listening(createServer());
  await using checks = loopbackChecks();
  const patienceEnds = new AbortController();
  const outcome = outcomeOf(checks.check(target(peer.port, TCP), patienceEnds.signal));
  // The connection is under way, and nothing of the event loop has come between.
  patienceEnds.abort();
  expect(await outcome).toBe('timed out, slow');
});

it('a signal that has aborted before lets nothing begin', async () => {
  await using peer = await listening(createServer());
  await using checks = loopbackChecks();
  expect(await outcomeOf(checks.check(target(peer.port, TCP), AbortSignal.abort()))).toBe('timed out, slow');
  expect(peer.connections).toBe(0);
});

it.each([0, -1, 65_536, 1.5, Number.NaN])('port %s cannot be checked', async (port) => {
  await using checks = loopbackChecks();
  expect(await outcomeOf(checks.check(target(port, TCP), patience()))).toBe('check failed, impossible');
});

it('no check is a check that passes', async () => {
  await using checks = loopbackChecks();
  expect(await outcomeOf(checks.check(target(1, { type: 'none' }), patience()))).toBe('passes');
});

it('closing ends what is under way, and nothing begins after', async () => {
  let asked: () => void = () => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  await using peer = await listening(createServer((socket) => socket.once('data', asked)));
  const checks = loopbackChecks();
  const grpc = { type: 'grpc', service: '', tls: false, verify: true } as const;
  const outcome = outcomeOf(checks.check(target(peer.port, grpc), patience()));
  await isAsked;
  await checks[Symbol.asyncDispose]();
  expect(await outcome).toBe('check failed, impossible');
  expect(await outcomeOf(checks.check(target(peer.port, TCP), patience()))).toBe('check failed, impossible');
  expect(peer.connections).toBe(1);
});
