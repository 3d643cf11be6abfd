import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Process } from '../support/process.ts';
import { register, setEnabled } from '../support/server.ts';
import { Driver } from './driver.ts';
import { addressOf, fill, HTTP2_CLIENTS, startBridge } from './http2-clients.ts';
import { type Relay, startRelay } from './relay.ts';

/** What a client of HTTP/2 does that nobody has told of this server: many calls at once, large answers, breaking off, coming back. */

const PERSISTENT = { ephemeral: 'false' };
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;
const NOT_FOUND = 5;
const UNAVAILABLE = 14;

const WATCHES = Array.from({ length: 100 }, (_, i) => String(i));

let bridge: Process;
let names: readonly string[];
let services = 0;
beforeAll(async () => {
  bridge = await startBridge();
  names = await fill(bridge);
});
afterAll(() => bridge[Symbol.asyncDispose]());

/** A service that nobody has spoken of. */
const another = () => `orders-${services++}`;

const check = (client: Driver, service: string) => client.call('check', { service });
const json = (client: Driver, method: string, body: object) => client.call('json', { method, body: JSON.stringify(body) });
const heardAll = (client: Driver, watches: readonly string[], said: object) =>
  Promise.all(watches.map((watch) => client.heard((event) => matches(event, { watch, ...said }))));

function matches(event: Readonly<Record<string, unknown>>, wanted: object): boolean {
  return Object.entries(wanted).every(([key, value]) => event[key] === value);
}

for (const [name, { command, isSecure, endsAtGoaway = false, readsInTurn = false }] of Object.entries(HTTP2_CLIENTS)) {
  // No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
  describe.skipIf(command === undefined)(name, () => {
    const start = (relay: Relay) => Driver.start(command ?? [], relay.address);

    it('is answered in each state of a service, as gRPC and as JSON', async () => {
      await using relay = await startRelay(addressOf(bridge, isSecure));
      await using client = await start(relay);
      const service = another();

      expect(await check(client, service)).toEqual({ code: NOT_FOUND, statuses: [] });
      const unknown = { status: 404, text: '{"code":"not_found","message":"unknown service"}' };
      expect(await json(client, 'Check', { service })).toEqual(unknown);
      await register(bridge, service, PERSISTENT);
      expect(await check(client, service)).toEqual({ code: 0, statuses: [SERVING] });
      expect(await json(client, 'Check', { service })).toEqual({ status: 200, text: '{"status":"SERVING"}' });
      await setEnabled(bridge, service, false);
      expect(await check(client, service)).toEqual({ code: 0, statuses: [NOT_SERVING] });
      expect(await json(client, 'Check', { service })).toEqual({ status: 200, text: '{"status":"NOT_SERVING"}' });
      expect(relay.accepted).toBe(1);
    });

    if (!readsInTurn)
      it('has a hundred watches at once on one connection told of a flip, and the rest of them once one was broken off', async () => {
        await using relay = await startRelay(addressOf(bridge, isSecure));
        await using client = await start(relay);
        const service = another();

        // The connection is there before so many want it.
        await check(client, service);
        for (const watch of WATCHES) await client.call('watch', { watch, service });
        await heardAll(client, WATCHES, { event: 'told', status: SERVICE_UNKNOWN });
        await register(bridge, service, PERSISTENT);
        await heardAll(client, WATCHES, { event: 'told', status: SERVING });
        const [first = '', ...others] = WATCHES;
        await client.call('cancel', { watch: first });
        expect(await check(client, service)).toEqual({ code: 0, statuses: [SERVING] });
        await setEnabled(bridge, service, false);
        await heardAll(client, others, { event: 'told', status: NOT_SERVING });
        expect(client.events.filter((event) => matches(event, { event: 'told', watch: first, status: NOT_SERVING }))).toEqual([]);
        expect(client.events.filter((event) => event.event === 'over' && event.watch !== first)).toEqual([]);
        expect(relay.accepted).toBe(1);
      });

    it('reads lists that are larger than its windows, also after it has broken some off', async () => {
      await using relay = await startRelay(addressOf(bridge, isSecure));
      await using client = await start(relay);
      const listed = async () => {
        // As every driver answers it.
        const { status, text } = (await json(client, 'List', {})) as { readonly status: number; readonly text: string };
        expect(status).toBe(200);
        return Object.keys(JSON.parse(text).statuses);
      };

      expect(await listed()).toEqual(expect.arrayContaining([...names]));
      // What was on its way must not stay counted against the windows of the connection.
      for (let i = 0; i < 5; i++) expect(await client.call('cut')).toBe(true);
      expect(await listed()).toEqual(expect.arrayContaining([...names]));
      expect(relay.accepted).toBe(1);
    });

    it('hears the end of its watch when the bridge drains, and comes back over another connection', async () => {
      await using ending = await startBridge();
      await using relay = await startRelay(addressOf(ending, isSecure));
      await using client = await start(relay);
      await register(ending, 'orders', PERSISTENT);
      await client.call('watch', { watch: 'w', service: 'orders' });
      await heardAll(client, ['w'], { event: 'told', status: SERVING });
      expect(await ending.stop('SIGTERM')).toBe(0);
      const over = await client.heard(({ event }) => event === 'over');
      if (!endsAtGoaway || over.error === undefined) expect(over).toEqual({ event: 'over', watch: 'w', code: UNAVAILABLE });
      expect(relay.accepted).toBe(1);

      await using returned = await startBridge();
      relay.leadTo(addressOf(returned, isSecure));
      await register(returned, 'orders', PERSISTENT);
      expect(await check(client, 'orders')).toEqual({ code: 0, statuses: [SERVING] });
      expect(relay.accepted).toBe(2);
    });
  });
}
