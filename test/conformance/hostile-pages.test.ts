import { describe, expect, inject, it } from 'vitest';
import { SITES } from '../fixtures/browsers.ts';
import { FREE_PORTS, type Process, startProcess } from '../support/process.ts';
import { answerOf, nacos } from '../support/server.ts';
import { type Deed, type Done, HostileSite } from './hostile.ts';
import { startRelay } from './relay.ts';

/** Pages of other sites in a real Chromium, and a bridge on the same machine that is started as by default. */

const REGISTER = '/nacos/v1/ns/instance?serviceName=evil&ip=10.6.6.6&port=666';
const PUBLISH = '/nacos/v1/cs/configs?dataId=evil&group=DEFAULT_GROUP&content=evil';
const LIST = '/nacos/v1/ns/service/list?pageNo=1&pageSize=10';
const READING = new Set(['get', 'getWithoutReferrer', 'eventSource', 'image', 'script', 'frame', 'webSocket', 'navigation']);

const deedsOf = (deeds: readonly string[]): readonly Deed[] =>
  deeds.flatMap((deed): Deed[] =>
    READING.has(deed)
      ? [[deed, LIST]]
      : [
          [deed, REGISTER],
          [deed, PUBLISH],
        ],
  );

const start = (...more: readonly string[]) => startProcess([...FREE_PORTS, '--probes', 'false', ...more]);

async function expectUntouched(bridge: Process): Promise<void> {
  expect((await answerOf(nacos(bridge, 'GET', '/service/list', { pageNo: 1, pageSize: 10 }))).body).toEqual({
    count: 0,
    doms: [],
  });
  expect((await nacos(bridge, 'GET', '/nacos/v1/cs/configs', { dataId: 'evil', group: 'DEFAULT_GROUP' })).status).toBe(404);
}

/** What a page has read, as far as it can tell: of another site nothing, and under a rebound name that it was refused. */
const hasRead = ({ outcome }: Done) => /^(basic|cors) (?!403)/.test(outcome) || outcome === 'open';

// Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
describe.skipIf(inject('tools').chromium.path === undefined)('a page in Chromium', () => {
  it.each(SITES)('of $name changes nothing and reads nothing', async ({ page, target, deeds }) => {
    await using bridge = await start('--allow-host', 'bridge.example');
    await using site = await HostileSite.open();
    await using relay = await startRelay(bridge.listeners.main);
    const port = relay.address.slice(relay.address.lastIndexOf(':') + 1);
    const inPlace = (text: string) => text.replace('{page}', `${site.port}`).replace('{port}', port);
    // A name is rebound once the page has been read.
    relay.leadTo(page.includes('{port}') ? `127.0.0.1:${site.port}` : bridge.listeners.main);
    const ready = () => {
      relay.cut();
      relay.leadTo(bridge.listeners.main);
    };
    const done = await site.act(inPlace(page), inPlace(target), deedsOf(deeds), { ready });
    expect(done.length).toBeGreaterThan(10);
    expect(done.filter(hasRead)).toEqual([]);
    await expectUntouched(bridge);
    expect(bridge.log()).toMatch(/refused \d+ .*: page/);
  });

  it('of an origin that is named does what it is asked to', async () => {
    await using site = await HostileSite.open();
    const origin = `http://console.example:${site.port}`;
    await using bridge = await start('--allow-origin', origin);
    const done = await site.act(origin, `http://${bridge.listeners.main}`, [
      ['fetchForm', REGISTER],
      ['get', LIST],
    ]);
    expect(done.map(({ outcome }) => outcome)).toEqual(['opaque 0 0', expect.stringMatching(/^cors 200 /)]);
    const { body } = await answerOf(nacos(bridge, 'GET', '/service/list', { pageNo: 1, pageSize: 10 }));
    expect(body).toEqual({ count: 1, doms: ['evil'] });
  });
});
