import { expect, it } from 'vitest';
import { data, type Field, FLAG, headers, request } from '../support/http2-frames.ts';
import { Attacked } from './attacked.ts';
import { Attacker } from './attacker.ts';

/**
 * Few addresses, or many, that take all there is of something from a real process: whoever comes from another address has his share, and
 * whoever asks honestly all the while is answered.
 */

/** As they are by default, on a smaller scale. */
const SEATS = { '--max-sockets': 80, '--max-sockets-per-peer': 32 };
const WATCHES = { '--max-watches': 40, '--max-watches-per-peer': 20 };
const POLLS = { '--max-long-polls': 60, '--max-long-polls-per-peer': 10 };
const GRPC: Field = ['content-type', 'application/grpc'];
const FORM: Field = ['content-type', 'application/x-www-form-urlencoded'];
const QUESTION = Buffer.alloc(5);
const idOf = (i: number) => 2 * i + 1;
const call = (i: number, method: string) =>
  Buffer.concat([
    headers(idOf(i), request('POST', `/grpc.health.v1.Health/${method}`, GRPC), FLAG.endHeaders),
    data(idOf(i), QUESTION),
  ]);
const POLLED = Buffer.from(`Listening-Configs=${encodeURIComponent('d\u0002g\u0002\u0001')}`);
const poll = (i: number) =>
  Buffer.concat([
    headers(idOf(i), request('POST', '/nacos/v1/cs/configs/listener', FORM, ['long-pulling-timeout', '30000']), FLAG.endHeaders),
    data(idOf(i), POLLED),
  ]);
/** An answer that has come whole, and one that goes on. */
const CHECKED = 'DATA 1 7';

function attacked(limits: Readonly<Record<string, number>>): Promise<Attacked> {
  return Attacked.start(Object.entries(limits).flatMap(([flag, value]) => [flag, String(value)]));
}

/** A bare client at an address of this machine, that asks this and is answered so. */
async function answered(from: string, port: string, question: Buffer, answer: string): Promise<Attacker> {
  const client = await Attacker.greetFrom(from, port);
  client.socket.write(question);
  await expect.poll(() => client.words, { interval: 2, timeout: 5_000 }).toContain(answer);
  return client;
}

const ended = (client: Attacker) => client.words.filter((word) => /^HEADERS \d+ END$/.test(word)).length;

it('an address that asks for long polls without end has its share, and others have theirs', async () => {
  await using room = await attacked(POLLS);
  const { main } = room.bridge.listeners;
  await room.bears(async () => {
    using attacker = await Attacker.greetFrom('127.0.0.2', main);
    attacker.socket.write(Buffer.concat(Array.from({ length: 300 }, (_, i) => poll(i))));
    // All that are no more than refused have come: those that do not wait are answered at once.
    await expect.poll(() => attacker.words.filter((word) => word.startsWith('HEADERS')).length).toBeGreaterThanOrEqual(280);
    using honest = await Attacker.greetFrom('127.0.0.3', main);
    honest.socket.write(Buffer.concat([poll(0), poll(1), poll(2)]));
    // Behind them, so that they have been read.
    honest.socket.write(call(3, 'Check'));
    await expect.poll(() => honest.words).toContain('DATA 7 7');
    // That one is not refused is no event: so long it takes until it would have been.
    const refusedAfterMs = 2_000;
    await new Promise((resolve) => setTimeout(resolve, refusedAfterMs + 500));
    expect(honest.words.filter((word) => /^HEADERS [135]\b/.test(word))).toEqual([]);
  });
});

it('two addresses that have all watches give some to others, of the bridge itself too', async () => {
  await using room = await attacked(WATCHES);
  const { main, health } = room.bridge.listeners;
  await room.bears(async () => {
    const attackers = await Promise.all(['127.0.0.2', '127.0.0.3'].map((from) => Attacker.greetFrom(from, main)));
    for (const { socket } of attackers) socket.write(Buffer.concat(Array.from({ length: 20 }, (_, i) => call(i, 'Watch'))));
    for (const attacker of attackers) await expect.poll(() => attacker.words).toContain('DATA 39 7');
    const honest = [await answered('127.0.0.4', main, call(0, 'Watch'), CHECKED)];
    honest.push(await answered('127.0.0.5', health, call(0, 'Watch'), CHECKED));
    await expect.poll(() => attackers.reduce((sum, attacker) => sum + ended(attacker), 0)).toBe(2);
    expect(honest.map(ended)).toEqual([0, 0]);
    for (const client of [...attackers, ...honest]) client[Symbol.dispose]();
  });
});

it('many addresses that have all seats leave each other one for a question, and the health port its own', async () => {
  await using room = await attacked(SEATS);
  const { main, health } = room.bridge.listeners;
  // Whoever asks all the while is of one address of his own, and one of the first.
  await room.bears(async () => {
    const attackers: Attacker[] = [];
    for (let i = 1; i <= 150; i++) {
      const attacker = await Attacker.greetFrom(`127.0.1.${i}`, main);
      attackers.push(attacker);
      attacker.socket.write(call(0, 'Watch'));
      await expect.poll(() => attacker.isClosed || attacker.words.includes(CHECKED), { interval: 2 }).toBe(true);
    }
    expect(attackers.filter(({ isClosed }) => !isClosed).length).toBeLessThanOrEqual(70);
    for (const [i, port] of [main, health].entries())
      for (let j = 0; j < 5; j++)
        (await answered(`127.0.2.${10 * i + j + 1}`, port, call(0, 'Check'), CHECKED))[Symbol.dispose]();
    // On the health port there is room for watches too.
    const watching = await Promise.all(
      Array.from({ length: 5 }, (_, i) => answered(`127.0.3.${i + 1}`, health, call(0, 'Watch'), CHECKED)),
    );
    expect(watching.some(({ isClosed }) => isClosed)).toBe(false);
    for (const client of [...attackers, ...watching]) client[Symbol.dispose]();
  });
});

it('two addresses that have all seats leave others theirs', async () => {
  await using room = await attacked(SEATS);
  const { main } = room.bridge.listeners;
  await room.bears(async () => {
    const attackers: Attacker[] = [];
    for (let i = 0; i < 80; i++) {
      const attacker = await Attacker.greetFrom(`127.0.0.${2 + (i % 2)}`, main);
      attackers.push(attacker);
      attacker.socket.write(poll(0));
    }
    for (let i = 1; i <= 5; i++) {
      // What guests are not given.
      using honest = await Attacker.dial(main, true, `127.0.2.${i}`);
      honest.socket.write('GET /nacos/v1/ns/service/list?pageNo=1&pageSize=1 HTTP/1.1\r\nHost: a\r\n\r\n');
      await expect.poll(() => honest.text).toMatch(/^HTTP\/1.1 200 /);
    }
    for (const attacker of attackers) attacker[Symbol.dispose]();
  });
});
