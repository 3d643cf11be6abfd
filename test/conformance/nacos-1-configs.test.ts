import { setTimeout as pause } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { startProcess } from '../support/process.ts';
import { answerOf, nacos } from '../support/server.ts';
import { Driver } from './driver.ts';
import { CONFIG_1_CLIENTS } from './nacos-clients.ts';
import { startRelay } from './relay.ts';

const PATH = '/nacos/v1/cs/configs';
const ID = { dataId: 'com.example.greeter', group: 'settings' };
const IDLE_MS = 4_000;
/** A client that does not wait asks hundreds of times meanwhile. */
const HANDFUL = 6;

describe.concurrent.each(Object.entries(CONFIG_1_CLIENTS))('%s', (name, command) => {
  // No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
  it.skipIf(command === undefined)(
    'keeps texts over HTTP, hears of what others write, and is calm meanwhile',
    async ({ expect }) => {
      await using bridge = await startProcess();
      let asked = 0;
      let inAll = 0;
      await using way = await startRelay(bridge.listeners.main, (chunk) => {
        const requests = chunk.toString('latin1').match(/\b(?:GET|POST|PUT|DELETE) \/nacos\/\S* HTTP\/1/g)?.length ?? 0;
        asked += requests;
        inAll += requests;
        return chunk;
      });
      await using client = await Driver.start(command ?? [], way.address);
      const ask = (method: string, params: Record<string, string> = {}) =>
        answerOf(nacos(bridge, method, PATH, { ...ID, ...params }));
      const heard = (content: unknown) => client.heard((event) => event.event === 'config' && event.content === content);
      const isCalm = async () => {
        // What it does at first, or because of a change, it has done by then.
        await pause(1_500);
        asked = 0;
        await pause(IDLE_MS);
        expect(asked, `requests of an idle ${name}`).toBeLessThanOrEqual(HANDFUL);
      };

      expect((await client.call('configGet', ID)) ?? '').toBe('');
      expect(await client.call('configPublish', { ...ID, content: 'one: ü & 1+1=100%' })).toBe(true);
      expect(await ask('GET')).toEqual({ status: 200, body: 'one: ü & 1+1=100%' });
      expect(await client.call('configGet', ID)).toBe('one: ü & 1+1=100%');

      await client.call('configListen', ID);
      await expect
        .poll(async () => (await answerOf(nacos(bridge, 'GET', `${PATH}/listener`, ID))).body, { timeout: 30_000 })
        .not.toEqual({ collectStatus: 200, lisentersGroupkeyStatus: {} });
      await isCalm();

      expect(await ask('POST', { content: 'two' })).toEqual({ status: 200, body: true });
      await heard('two');
      await isCalm();
      if (name.startsWith('java')) expect(await client.call('configStatus')).toBe('UP');

      expect(await ask('DELETE')).toEqual({ status: 200, body: true });
      await isCalm();
      await client.call('configPublish', { ...ID, content: 'three' });
      await heard('three');
      expect(await ask('GET')).toEqual({ status: 200, body: 'three' });
      expect(await client.call('configRemove', ID)).toBe(true);
      expect(await ask('GET')).toMatchObject({ status: 404 });
      await isCalm();
      // Two reads, two texts written, one removed, and at least once for each of the changes.
      expect(inAll).toBeGreaterThanOrEqual(8);
    },
  );
});
