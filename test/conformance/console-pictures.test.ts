import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createTestClock, type Server, type TestClock } from '../../src/index.ts';
import { browserOfFile, CHROMIUM, type Screen } from '../console/browser/browser.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { nacos, register, startServer } from '../support/server.ts';

/** The pictures of the console in `docs/pictures`, of a morning in a shop. With PICTURES=1 they are written, else only looked at. */

const browser = browserOfFile();
const FOLDER = join(import.meta.dirname, '../../docs/pictures');
const MOST_BYTES = 80_000;
const STEP_MS = 5_000;
const PAYMENT = 'namespace=public&group=DEFAULT_GROUP&service=payment';

const VIEWS = {
  now: '#/',
  service: `#/service?${PAYMENT}`,
  events: '#/events',
} as const;
const LOOKS = [
  { language: 'en', theme: 'light' },
  { language: 'zh-CN', theme: 'dark' },
] as const;

/** An hour, in which inventory was away for a while; then payment falls silent, and who served coupons is killed. */
class Morning implements Disposable {
  readonly #server: Server;
  readonly #clock: TestClock;
  readonly #clients: NacosGrpc[] = [];
  #beating: readonly string[] = [];

  private constructor(server: Server, clock: TestClock) {
    this.#server = server;
    this.#clock = clock;
  }

  static async of(server: Server, clock: TestClock): Promise<Morning> {
    const morning = new Morning(server, clock);
    await morning.#pass();
    return morning;
  }

  async #pass(): Promise<void> {
    const orders = await this.#client('order-center');
    const orders2 = await this.#client('order-center');
    const inventory = await this.#client('inventory');
    const coupons = await this.#client('coupon');
    const gateway = await this.#client('gateway');
    await orders.register('orders', 8080, { ip: '10.2.0.11' });
    await orders2.register('orders', 8080, { ip: '10.2.0.12' });
    await inventory.register('inventory', 8080, { ip: '10.2.0.21' });
    await coupons.register('coupon', 8080, { ip: '10.2.0.41' });
    await gateway.register('gateway', 8443, { ip: '10.2.0.2' });
    await register(this.#server, 'mysql', { ip: '10.2.0.90', port: 3306, ephemeral: 'false' });
    for (const service of ['orders', 'payment', 'coupon', 'inventory']) await gateway.subscribe(service);
    await orders.subscribe('payment');
    await this.#letPass(12 * 60_000);
    await this.#gone(inventory, 'inventory', '10.2.0.21');
    await this.#letPass(4 * 60_000);
    await inventory.register('inventory', 8080, { ip: '10.2.0.21' });
    await this.#letPass(38 * 60_000);
    this.#beating = ['10.2.0.31', '10.2.0.32'];
    for (const ip of this.#beating) await this.#says('POST', '/instance', ip);
    await this.#letPass(3 * 60_000);
    this.#beating = ['10.2.0.32'];
    await this.#letPass(60_000);
    this.#beating = [];
    await this.#letPass(20_000);
    coupons[Symbol.dispose]();
    await expect.poll(() => this.#isListed('coupon')).toBe(false);
    await this.#letPass(5_000);
  }

  async #client(app: string): Promise<NacosGrpc> {
    const setup = { clientVersion: 'Nacos-Java-Client:v2.5.1', labels: { module: 'naming', AppName: app } };
    const client = await NacosGrpc.connect(this.#server.listeners.grpc ?? '', setup);
    this.#clients.push(client);
    return client;
  }

  async #gone(client: NacosGrpc, service: string, ip: string): Promise<void> {
    const instance = { ip, port: 8080, ephemeral: true };
    const body = { namespace: 'public', serviceName: service, groupName: 'DEFAULT_GROUP', type: 'deregisterInstance', instance };
    await client.ask('InstanceRequest', body);
  }

  async #isListed(service: string): Promise<boolean> {
    const answer = await nacos(this.#server, 'GET', '/instance/list', { serviceName: service });
    return ((await answer.json()) as { readonly hosts: readonly unknown[] }).hosts.length > 0;
  }

  async #letPass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      await this.#clock.advance(STEP_MS);
      for (const ip of this.#beating) await this.#says('PUT', '/instance/beat', ip);
    }
  }

  async #says(method: string, path: string, ip: string): Promise<void> {
    const headers = { 'user-agent': 'Nacos-Java-Client:v1.4.8' };
    await nacos(this.#server, method, path, { serviceName: 'payment', ip, port: 8080 }, { headers });
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client[Symbol.dispose]();
  }
}

async function pictureOf({ page }: Screen): Promise<Buffer> {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 65 });
  await session.detach();
  return Buffer.from(data, 'base64');
}

// Without a browser there is nothing to look with; `tools.ts` names it, and with INTEROP=all that fails the run.
describe.skipIf(CHROMIUM === undefined)('pictures of the console', () => {
  it('are small, and of what is to be seen', async () => {
    const clock = createTestClock({ at: '2026-01-05T01:00:00Z' });
    await using server = await startServer({ clock });
    using _morning = await Morning.of(server, clock);
    for (const look of LOOKS)
      for (const [name, route] of Object.entries(VIEWS)) {
        await using screen = await browser.open(server, { ...look, route, width: 1100, height: 680, at: clock.wallClock() });
        await screen.live();
        await screen.page.getByRole('main').getByRole('heading', { level: 1 }).waitFor();
        await screen.sees(/payment/);
        const picture = await pictureOf(screen);
        expect([name, look, picture.length < MOST_BYTES]).toEqual([name, look, true]);
        if (process.env.PICTURES !== '1') continue;
        mkdirSync(FOLDER, { recursive: true });
        writeFileSync(join(FOLDER, `${name}.${look.language}.webp`), picture);
      }
  });
});
