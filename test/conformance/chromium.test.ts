import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { freePorts } from '../support/ports.ts';
import { register, setEnabled } from '../support/server.ts';
import { Browser, type Said } from './browser.ts';
import { addressOf, CERTIFICATE, fill, isMissing, startBridge } from './http2-clients.ts';
import { startRelay } from './relay.ts';

/** A page in a browser that asks the TLS port in gRPC-Web, from another origin that is let in: HTTP/2 by ALPN, with preflights. */

const PERSISTENT = { ephemeral: 'false' };
/** Many more than the six connections that a browser opens to a server of HTTP/1.1. */
const WATCHES = Array.from({ length: 50 }, (_, i) => i);
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

// Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
describe.skipIf(isMissing('chromium'))('Chromium, over TLS', () => {
  it('checks, lists, has fifty watches told of a flip over one connection, and hears the bridge end', async () => {
    const [port = 0] = await freePorts(1);
    await using bridge = await startBridge('--allow-origin', `http://127.0.0.1:${port}`);
    const names = await fill(bridge);
    await using relay = await startRelay(addressOf(bridge, true));
    await using page = await Browser.open(`https://${relay.address}`, readFileSync(CERTIFICATE), port);
    const all = (watches: readonly number[], wanted: Said) =>
      Promise.all(
        watches.map((watch) =>
          page.heard((said) => said.watch === watch && Object.entries(wanted).every(([key, value]) => said[key] === value)),
        ),
      );

    await expect(page.call('check', { service: 'orders' })).rejects.toThrow('NotFound');
    for (const watch of WATCHES) await page.call('watch', { watch, service: 'orders' });
    await all(WATCHES, { event: 'told', status: SERVICE_UNKNOWN });
    await register(bridge, 'orders', PERSISTENT);
    await all(WATCHES, { event: 'told', status: SERVING });
    expect(await page.call('check', { service: 'orders' })).toEqual({ status: SERVING });
    expect(await page.call('list')).toEqual(expect.arrayContaining(['orders', ...names]));

    const [first = 0, ...others] = WATCHES;
    await page.call('cancel', { watch: first });
    await all([first], { event: 'over', code: 'Canceled' });
    await setEnabled(bridge, 'orders', false);
    await all(others, { event: 'told', status: NOT_SERVING });
    expect(await page.call('check', { service: 'orders' })).toEqual({ status: NOT_SERVING });
    // It opens a second one beforehand, in case.
    expect(relay.accepted).toBeLessThanOrEqual(2);

    expect(await bridge.stop('SIGTERM')).toBe(0);
    await all(others, { event: 'over', code: 'Unavailable' });
  });
});
