import { afterAll, beforeAll, expect, it } from 'vitest';
import { Attacked } from './attacked.ts';
import { Attacker, ask } from './attacker.ts';

/**
 * Bodies that are begun and left, a megabyte of each, done to a real process: whoever publishes honestly meanwhile what is longer than any
 * of them is served, from the very same address too, and nothing is left of them.
 */

const CONFIGS = '/nacos/v1/cs/configs';
const CONNECTIONS = 137;
const HEAD = `POST ${CONFIGS} HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3000000\r\n\r\n`;
const MEGABYTE = Buffer.alloc(1 << 20, 'a');
/** Half as long again on the wire. */
const HONEST = { dataId: 'honest', group: 'g', content: '%'.repeat(500_000) };
const MOST_MEBIBYTES = 300;

/** Others of 127.0.0.0/8 than the first are as strange as any, unless they are named. */
const TRUSTED = ['127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6', '127.0.0.7'];

let room: Attacked;
beforeAll(async () => {
  room = await Attacked.start(['--trust', TRUSTED.join(',')]);
});
afterAll(() => room?.[Symbol.asyncDispose]());

/** `least`: so many are refused by then; the others hold on. */
async function leftUnfinished(from: readonly string[], least: number): Promise<readonly Attacker[]> {
  const { main } = room.bridge.listeners;
  const attackers: Attacker[] = [];
  for (let i = 0; i < CONNECTIONS; i++) {
    const attacker = await Attacker.dial(main, true, from[i % from.length]);
    attacker.socket.write(HEAD);
    attacker.socket.write(MEGABYTE);
    attackers.push(attacker);
  }
  await expect.poll(() => closedOf(attackers), { timeout: 20_000 }).toBeGreaterThanOrEqual(least);
  return attackers;
}

const closedOf = (attackers: readonly Attacker[]) => attackers.filter(({ isClosed }) => isClosed).length;

it.each([
  ['of an address that may not write: all are refused by the head', ['127.0.0.2'], CONNECTIONS, CONNECTIONS],
  // A quarter of what all may hold is theirs.
  ['of the address of the honest one: they hold no more than it may', ['127.0.0.1'], CONNECTIONS - 32, CONNECTIONS - 25],
  // Of five that may hold a quarter each, all together.
  ['of five other addresses: they hold no more than all may', TRUSTED, CONNECTIONS - 128, CONNECTIONS - 115],
])('%s', async (_, from, least, most) => {
  const { main } = room.bridge.listeners;
  const { mostMebibytes } = await room.bears(async () => {
    const attackers = await leftUnfinished(from, least);
    for (let i = 0; i < 10; i++) expect(await ask(main, 'POST', CONFIGS, HONEST)).toEqual({ status: 200, body: 'true' });
    // They were there all the while.
    expect(closedOf(attackers)).toBeLessThanOrEqual(most);
    const refused = attackers.filter(({ text }) => text !== '').map(({ text }) => text.slice(0, 12));
    const status = least === CONNECTIONS ? 403 : 429;
    expect(refused).toEqual(refused.map(() => `HTTP/1.1 ${status}`));
    for (const attacker of attackers) attacker[Symbol.dispose]();
    expect((await ask(main, 'DELETE', `${CONFIGS}?dataId=honest&group=g`)).status).toBe(200);
  });
  expect(mostMebibytes).toBeLessThan(MOST_MEBIBYTES);
});
