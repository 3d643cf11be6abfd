import { createServer } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import type { CheckKind } from '../../src/registry/checks.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { randomRuns } from '../support/random.ts';
import { listening, loopbackChecks, MYSQL_HELLO, mysqlPacket, outcomeOf, type Peer, patience, target } from './peers.ts';

failOnLeaks();

const HTTP = { type: 'http', path: '/', headers: '', expectedResponseCode: 200, tls: false, verify: true } as const;
const GRPC = { type: 'grpc', service: '', tls: false, verify: true } as const;

/** Each kind of check, with what well-meaning servers say to it, piece by piece: each after something has been heard, but the first. */
const TALKS: Readonly<Record<string, readonly [check: CheckKind, speaksFirst: boolean, pieces: readonly string[]]>> = {
  http: [
    HTTP,
    false,
    ['HTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
  ],
  https: [{ ...HTTP, tls: true }, false, ['\x16\x03\x03\x00\x31\x02\x00\x00\x2d\x03\x03', 'x'.repeat(48)]],
  // Settings and their acknowledgement; a head with status 200 and the type, a message, and the status.
  grpc: [
    GRPC,
    false,
    [
      '\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00',
      [
        '\x00\x00\x14\x01\x04\x00\x00\x00\x01\x88\x0f\x10\x10application/grpc',
        '\x00\x00\x07\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x02\x08\x01',
        '\x00\x00\x0f\x01\x05\x00\x00\x00\x01\x00\x0bgrpc-status\x010',
      ].join(''),
    ],
  ],
  mysql: [
    { type: 'mysql', user: 'prober', password: 'a-secret', command: 'select 1' },
    true,
    [
      mysqlPacket(0, MYSQL_HELLO),
      mysqlPacket(2, '\x00\x00\x00\x02\x00\x00\x00'),
      Buffer.concat([
        mysqlPacket(1, '\x01'),
        mysqlPacket(2, '\x03def\x00\x00\x00\x011\x00\x0c\x3f\x00\x01\x00\x00\x00\x08\x81\x00\x00\x00\x00'),
        mysqlPacket(3, '\xfe\x00\x00\x02\x00'),
        mysqlPacket(4, '\x011'),
        mysqlPacket(5, '\xfe\x00\x00\x02\x00'),
      ]),
    ].map((bytes) => bytes.toString('latin1')),
  ],
};

let written: MockInstance[];
beforeEach(() => {
  written = (['log', 'warn', 'error', 'trace'] as const).map((name) => vi.spyOn(console, name).mockImplementation(() => {}));
});
afterEach(() => {
  const lines = written.flatMap(({ mock }) => mock.calls);
  vi.restoreAllMocks();
  expect(lines).toEqual([]);
});

/** Where in a text, and which byte stands there instead: or none, or two. */
const damage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  with: fc.constantFrom('', '\x00', '\x01', '\xff', '\xfe', '\xfb', 'A', '\x00\x00'),
});

/** Says a piece each time that it hears something, and then ends; what it says may change from one connection to another. */
function talking(talk: { readonly pieces: readonly string[]; readonly speaksFirst: boolean }): Promise<Peer> {
  return listening(
    createServer((socket) => {
      const left = [...talk.pieces];
      const say = () => {
        const next = left.shift();
        if (next === undefined) socket.end();
        else socket.write(next, 'latin1');
      };
      socket.on('data', say);
      if (talk.speaksFirst) say();
    }),
  );
}

it.each(['http', 'grpc', 'mysql'])('what is to be damaged passes: %s', async (kind) => {
  const [check, speaksFirst, pieces] = TALKS[kind] ?? [HTTP, false, []];
  await using peer = await talking({ pieces, speaksFirst });
  await using checks = loopbackChecks();
  expect(await outcomeOf(checks.check(target(peer.port, check), patience()))).toBe('passes');
});

const { parameters, title, timeoutMs } = randomRuns(40);

describe.each(Object.entries(TALKS))('%s', (_kind, [check, speaksFirst, pieces]) => {
  it(`ends with a constant word, whatever is said ${title}`, { timeout: timeoutMs }, async () => {
    const talk = { pieces: [] as readonly string[], speaksFirst };
    await using peer = await talking(talk);
    await using checks = loopbackChecks();
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { maxLength: 3 }), fc.nat(pieces.length), fc.boolean(), async (damages, most, atOnce) => {
        const said = pieces.slice(0, most);
        for (const { at, with: bytes } of damages) {
          const piece = Math.floor(at * said.length);
          const text = said[piece] ?? '';
          const place = Math.floor((at * said.length - piece) * text.length);
          said[piece] = text.slice(0, place) + bytes + text.slice(place + 1);
        }
        talk.pieces = atOnce ? [said.join('')] : said;
        // A peer that waits for more, as the check does, is the third way to end.
        const patienceEnds = new AbortController();
        const outcome = outcomeOf(checks.check(target(peer.port, check), AbortSignal.any([patience(), patienceEnds.signal])));
        const quiet = setTimeout(() => patienceEnds.abort(), 20);
        expect(await outcome).toMatch(/^(passes|[\w -]+, (at-once|counted|slow))$/);
        clearTimeout(quiet);
      }),
      parameters,
    );
  });
});
