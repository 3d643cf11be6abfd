import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { Attacked } from './attacked.ts';
import { Attacker, ask } from './attacker.ts';

/**
 * Requests that nobody has to log in for and that look at all there is, or that are long themselves, done to a real process: whoever asks
 * honestly meanwhile is answered.
 */

const CONFIGS = '/nacos/v1/cs/configs';
/** As in the attacks of Nacos that are no reads. */
const MOST_MEBIBYTES = 300;
const PER_SERVICE = 5_000;

let room: Attacked;
beforeAll(async () => {
  room = await Attacked.start(['--stall-timeout', '4000']);
});
afterAll(() => room?.[Symbol.asyncDispose]());
const main = () => room.bridge.listeners.main;

function batch(number: number) {
  const instances = Array.from({ length: PER_SERVICE }, (_, i) => ({ ip: `10.${number}.${i >> 8}.${i & 255}`, port: 80 }));
  const service = { namespace: 'public', serviceName: `crowd-${number}`, groupName: 'DEFAULT_GROUP' };
  return { ...service, type: 'batchRegisterInstance', instances };
}

describe('reads that walk everything', () => {
  const SERVICES = 12;
  const CLIENTS = 20;
  let registrar: NacosGrpc | undefined;
  beforeAll(async () => {
    registrar = await NacosGrpc.connect(room.bridge.listeners.grpc);
    for (let i = 0; i < SERVICES; i++)
      expect(await registrar.ask('BatchInstanceRequest', batch(i))).toMatchObject({
        body: { resultCode: 200 },
      });
    // A text of one letter, which a part of it and another letter is looked for in.
    for (let i = 0; i < 20; i++)
      await ask(main(), 'POST', CONFIGS, { dataId: `long-${i}`, group: 'g', content: 'a'.repeat(900_000) });
  });
  afterAll(async () => {
    registrar?.[Symbol.dispose]();
    for (let i = 0; i < 20; i++) await ask(main(), 'DELETE', CONFIGS, { dataId: `long-${i}`, group: 'g' });
  });

  const PART = `${'a'.repeat(2_000)}b${'a'.repeat(2_000)}`;
  const PAGE = 'pageNo=1&pageSize=100000';

  it.each([
    ['ids of clients', '/nacos/v2/ns/client/list'],
    ['a client that is none', '/nacos/v2/ns/client?clientId=1.2.3.4:5%23true'],
    ['what a client has registered', '/nacos/v3/admin/ns/client/publish/list?clientId=1.2.3.4:5%23true'],
    ['figures', '/nacos/v1/ns/operator/metrics?onlyStatus=false'],
    ['figures of 3.x', '/nacos/v3/admin/ns/ops/metrics?onlyStatus=false'],
    ['services by address', `/nacos/v1/ns/catalog/services?${PAGE}&instance=10.3.1.1:80`],
    ['services with all that is in them', `/nacos/v1/ns/catalog/services?${PAGE}&withInstances=true`],
    ['texts by what they say', `${CONFIGS}?search=blur&dataId=&group=&${PAGE}&config_detail=${PART}`],
  ])('%s, asked for by twenty clients again and again', async (_, path) => {
    const { mostMebibytes } = await room.bears(async () => {
      const until = performance.now() + 1_000;
      const answered = await Promise.all(
        Array.from({ length: CLIENTS }, async () => {
          const statuses: number[] = [];
          do statuses.push((await ask(main(), 'GET', path)).status);
          while (performance.now() < until);
          return statuses;
        }),
      );
      // What is too large beside what others have yet to read is refused, and nothing is a fault of the server's.
      for (const status of answered.flat()) expect([200, 404, 429]).toContain(status);
      expect(answered.flat().some((status) => status !== 429)).toBe(true);
    });
    expect(mostMebibytes).toBeLessThan(MOST_MEBIBYTES);
  });

  it('a hundred and fifty at once from one address, of which what is too much is refused', async () => {
    await room.bears(async () => {
      const asked = Array.from({ length: 150 }, () => ask(main(), 'GET', '/nacos/v2/ns/client/list'));
      const statuses = (await Promise.all(asked)).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set([200, 429]));
    });
  });

  it('forms of four megabytes in which each character has to be decoded', async () => {
    const form = (body: Buffer, type: string) => {
      const head = `POST ${CONFIGS} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
      return Buffer.concat([Buffer.from(head), body]);
    };
    const forms = [
      form(Buffer.from('\xff+'.repeat(2_000_000), 'latin1'), 'application/x-www-form-urlencoded'),
      form(Buffer.from('é%'.repeat(1_300_000)), 'application/x-www-form-urlencoded'),
      form(Buffer.from(`--b\r\n${'X: y\r\n'.repeat(600_000)}`), 'multipart/form-data; boundary=b'),
    ];
    await room.bears(async () => {
      for (const said of forms) {
        using attacker = await Attacker.dial(main());
        attacker.socket.write(said);
        await attacker.ended();
        expect(attacker.text).toMatch(/^HTTP\/1.1 4\d\d /);
      }
    });
  });
});
