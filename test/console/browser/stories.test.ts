import { describe, expect, it } from 'vitest';
import type { EventLine } from '../../../src/console/api.ts';
import type { Server } from '../../../src/index.ts';
import { NacosGrpc } from '../../support/nacos-grpc.ts';
import { fixedPorts } from '../../support/ports.ts';
import { startProcess } from '../../support/process.ts';
import { register, startServer, unhealthyAfter } from '../../support/server.ts';
import { browserOfFile, CHROMIUM } from './browser.ts';

const browser = browserOfFile();

const SILENT_AFTER_MS = 1_500;

async function eventsOf({ listeners }: Server, query: string): Promise<readonly EventLine[]> {
  const text = await (await fetch(`http://${listeners.main}/events?${query}`)).text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

// Without a browser there is nothing to look with; `npm test` says so.
describe.skipIf(CHROMIUM === undefined)('on the page', () => {
  it('who stops beating turns red in time with the right cause, for all who look', async () => {
    await using server = await startServer();
    await using english = await browser.open(server, { route: '#/services' });
    await using chinese = await browser.open(server, { route: '#/services', language: 'zh-CN', theme: 'dark' });
    await Promise.all([english.live(), chinese.live()]);
    const beating = { metadata: unhealthyAfter(SILENT_AFTER_MS) };
    await register(server, 'orders', beating);
    await register(server, 'shop', { ephemeral: 'false' });
    await using closer = await browser.open(server, { route: '#/service?namespace=public&group=DEFAULT_GROUP&service=orders' });
    const isUp = () =>
      Promise.all([
        english.seesInRow(/orders/, /● serving/),
        chinese.seesInRow(/orders/, /● 可用/),
        closer.seesInRow(/10\.0\.0\.1:80/, /\bin \d/),
      ]);
    await isUp();
    const seenAt = await Promise.all([
      english.seesInRow(/orders/, /▲ not serving/, /no heartbeat/),
      chinese.seesInRow(/orders/, /▲ 不可用/, /心跳超时/),
      closer.seesInRow(/10\.0\.0\.1:80/, /▲ unhealthy/),
    ]);
    await Promise.all([english.seesInRow(/shop/, /● serving/), chinese.seesInRow(/shop/, /● 可用/)]);
    const down = (await eventsOf(server, 'service=orders&cause=silent')).find(({ kind }) => kind === 'service');
    const downAt = Date.parse(down?.at ?? '');
    expect(seenAt.map((at) => at >= downAt)).toEqual([true, true, true]);
    // When that was is said in full to whoever points at it.
    const time = english.row('orders').first().locator('time').first();
    expect(Date.parse((await time.getAttribute('datetime')) ?? '')).toBe(downAt);
    await register(server, 'orders', beating);
    await isUp();
  });

  it('what a client of 2.x held is named once its connection has ended', async () => {
    await using server = await startServer();
    await using screen = await browser.open(server);
    await screen.live();
    const client = await NacosGrpc.connect(server.listeners.grpc ?? '');
    await client.register('orders', 8081);
    await client.register('shop', 8082);
    client[Symbol.dispose]();
    await screen.sees(/orders.*10\.0\.0\.1:8081.*connection ended/s);
    await screen.sees(/shop.*10\.0\.0\.1:8082.*connection ended/s);
  });

  it('a restart is told, and what is there then is shown by itself', async () => {
    const ports = await fixedPorts();
    let bridge = await startProcess(ports);
    await using screen = await browser.open(bridge, { route: '#/services', expected: /ERR_/ });
    try {
      await screen.live();
      await register(bridge, 'orders');
      await screen.row('orders').first().waitFor();
      await bridge.stop('SIGKILL');
      await screen.page.getByRole('status').getByText('Connection lost').waitFor();
      bridge = await startProcess(ports);
      await register(bridge, 'shop');
      await screen.live();
      await screen.row('shop').first().waitFor();
      await screen.row('orders').first().waitFor({ state: 'detached' });
      await screen.page.getByRole('status').getByText('was restarted').waitFor();
    } finally {
      await bridge.stop('SIGKILL');
    }
  });
});
