import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { NacosGrpc } from '../../support/nacos-grpc.ts';
import { nacos, register, startServer } from '../../support/server.ts';
import { browserOfFile, CHROMIUM } from './browser.ts';

const browser = browserOfFile();

const JAVA = { clientVersion: 'Nacos-Java-Client:v2.5.1', labels: { module: 'naming', AppName: 'checkout' } };
const ORDERS = '#/instance?namespace=public&group=DEFAULT_GROUP&service=orders&ip=10.0.0.1&port=80';

// Without a browser there is nothing to look with; `npm test` says so.
describe.skipIf(CHROMIUM === undefined)('an instance in Chromium', () => {
  it('says how it is, when it was heard, and what would follow if it stopped', async () => {
    await using server = await startServer();
    await register(server, 'orders', { metadata: JSON.stringify({ zone: 'a' }) });
    await register(server, 'shop');
    await using screen = await browser.open(server, { route: ORDERS });
    await screen.text('It can be called: healthy, online, weight 1.').waitFor();
    await screen.text('It would be unhealthy 15 s after its last heartbeat, and removed after 30 s.').waitFor();
    await screen.text('orders would not be serving any more: 0 available, 1 needed.').waitFor();
    await screen.page.getByRole('img', { name: /^Heartbeats over time/ }).waitFor();
    for (const text of ['zone', 'shop']) await screen.row(text).first().waitFor();
    await nacos(server, 'PUT', '/instance/beat', { serviceName: 'orders', ip: '10.0.0.1', port: 80 });
    await screen.text('Last 1 interval').waitFor();
    await register(server, 'orders', { ip: '10.0.0.2' });
    await screen.text('orders would still be serving: 1 available, 1 needed.').waitFor();
    expect(await screen.barriers()).toEqual([]);
    await screen.speak('zh-CN');
    await screen.text('orders 仍然可用：1 个可用，需要 1 个。').waitFor();
  });

  it('is told of one that has gone by what happened to it last', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await using screen = await browser.open(server, { route: ORDERS });
    await screen.text('It can be called').waitFor();
    await nacos(server, 'DELETE', '/instance', { serviceName: 'orders', ip: '10.0.0.1', port: 80 });
    await screen.page.getByRole('status').getByText('It is not registered.').waitFor();
    await screen.text('deregistered by its client').first().waitFor();
  });
});

// Without a browser there is nothing to look with; `npm test` says so.
describe.skipIf(CHROMIUM === undefined)('clients in Chromium', () => {
  it('are named with what went with them when they are killed, and say why they ended', async () => {
    await using server = await startServer();
    using way = await breakable(server.listeners.grpc);
    using client = await NacosGrpc.connect(way.address, JAVA);
    await client.register('orders', 80);
    await client.register('shop', 81);
    await client.subscribe('orders');
    await using screen = await browser.open(server, { route: '#/clients' });
    await screen.row('checkout').first().getByRole('link').click();
    await screen.text('what it has registered lives as long as this connection').waitFor();
    for (const address of ['10.0.0.1:80', '10.0.0.1:81']) await screen.row(address).first().waitFor();
    await using beside = await screen.beside(ORDERS);
    await beside.text('It would be gone at once, with its connection.').waitFor();
    way.break();
    await screen.text('it broke off, as when a process is killed or a network fails').first().waitFor();
    await screen.text('Gone with it: 2 instances').waitFor();
    await beside.page.getByRole('status').getByText('It is not registered.').waitFor();
    await beside.text('its connection ended').first().waitFor();
    expect(await screen.barriers()).toEqual([]);
    await screen.goTo('#/clients');
    await screen.row('2 instances').first().waitFor();
    expect(await screen.row('2 instances').first().innerText()).toMatch(/broke off.*10\.0\.0\.1:80/s);
    expect(await screen.barriers()).toEqual([]);
  });

  it('are found by what is typed, and by kind, and the address of the page keeps that', async () => {
    await using server = await startServer();
    using _ = await NacosGrpc.connect(server.listeners.grpc, JAVA);
    await register(server, 'orders', { ip: '10.0.0.7' });
    await using screen = await browser.open(server, { route: '#/clients' });
    await screen.row('10.0.0.7:80#true').first().waitFor();
    await screen.page.getByRole('main').getByRole('searchbox').fill('checkout');
    await screen.row('10.0.0.7:80#true').first().waitFor({ state: 'detached' });
    await screen.row('Nacos-Java-Client:v2.5.1').first().waitFor();
    await screen.page.getByRole('combobox', { name: 'Kind' }).selectOption('address (1.x, persistent)');
    await screen.text('No client matches.').waitFor();
    expect(screen.page.url()).toContain('search=checkout&kind=address');
  });

  it('subscribe, and it is told how, and what was pushed', async () => {
    await using server = await startServer({ pushDelayMs: 0 });
    await register(server, 'orders');
    using client = await NacosGrpc.connect(server.listeners.grpc, JAVA);
    await using screen = await browser.open(server, { route: '#/pushes', language: 'zh-CN', theme: 'dark' });
    await screen.text('没有订阅者，或没有匹配项。').waitFor();
    await client.subscribe('orders');
    await client.pushed('orders', (ports) => ports.includes(80));
    await screen.row('checkout').first().waitFor();
    expect(await screen.row('checkout').first().innerText()).toMatch(/orders.*连接（2\.x、3\.x）/s);
    await screen.row(/连接（2\.x、3\.x）\s*1\s*1\s*1\s*0/).waitFor();
    expect(await screen.barriers()).toEqual([]);
  });
});

/** A way to the server that breaks off as it does when a process is killed. */
async function breakable(to: string): Promise<Disposable & { readonly address: string; readonly break: () => void }> {
  const [host = '', port] = to.split(/:(?=\d+$)/);
  const sockets: Socket[] = [];
  const relay = createServer((near) => {
    const far = connect(Number(port), host);
    sockets.push(near, far);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => {});
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const breaks = () => {
    relay.close();
    for (const socket of sockets) socket.resetAndDestroy();
  };
  // It listens to an address and no path.
  return { address: `127.0.0.1:${(relay.address() as AddressInfo).port}`, break: breaks, [Symbol.dispose]: breaks };
}
