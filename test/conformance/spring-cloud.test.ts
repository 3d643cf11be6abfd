import { setTimeout as pause } from 'node:timers/promises';
import { describe, it } from 'vitest';
import type { Process } from '../support/process.ts';
import { nacos, register } from '../support/server.ts';
import { healthOf, startBridge } from './estate.ts';
import { Folder } from './program.ts';
import { startRelay } from './relay.ts';
import { App, NAME, STACKS } from './spring-app.ts';

const IDLE_MS = 4_000;
/** A client that does not wait asks hundreds of times meanwhile. */
const HANDFUL = 6;
const SOON = { timeout: 30_000 };
/** No client keeps a server from its end for as long as it would wait for one: 5 s. */
const STOPPED_WITHIN_MS = 2_500;
/** The JVM's answer to SIGTERM, once the application has ended in its own orderly way. */
const TERMINATED = 143;

const up = { status: 'UP' };
const UP = { ...up, components: { discoveryComposite: up, nacosDiscovery: up, nacosConfig: up } };

/** Asks an application all the while how it is, until it rests. */
class Vigil implements AsyncDisposable {
  readonly #app: App;
  /** Each status once, until there is another. */
  readonly statuses: string[] = [];
  #awake = false;
  #asking = Promise.resolve();

  constructor(app: App) {
    this.#app = app;
    this.begin();
  }

  begin(): void {
    this.#awake = true;
    this.#asking = this.#ask();
  }

  async #ask(): Promise<void> {
    while (this.#awake) {
      const { status } = await this.#app.health();
      if (status !== this.statuses.at(-1)) this.statuses.push(status);
      await pause(50);
    }
  }

  async rest(): Promise<void> {
    this.#awake = false;
    await this.#asking;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.rest();
  }
}

async function publish(bridge: Process, greeting: string): Promise<void> {
  const text = { dataId: `${NAME}.properties`, group: 'DEFAULT_GROUP', content: `greeting=${greeting}` };
  const response = await nacos(bridge, 'POST', '/nacos/v1/cs/configs', text);
  if (!response.ok) throw new Error(`publish: ${response.status} ${await response.text()}`);
}

/** Persistent, as it needs no beats then. */
const registerStock = (bridge: Process, port: number) => register(bridge, 'stock', { port, ephemeral: 'false' });

/** What is listed of the application: the addresses of those that can be called. */
async function listedBy(bridge: Process): Promise<readonly string[]> {
  const response = await nacos(bridge, 'GET', '/instance/list', { serviceName: NAME, healthyOnly: 'true' });
  const { hosts } = (await response.json()) as { readonly hosts: readonly { readonly ip: string; readonly port: number }[] };
  return hosts.map(({ ip, port }) => `${ip}:${port}`);
}

const codeOf = async (bridge: Process) => (await fetch(`http://${bridge.listeners.health}/health/${NAME}`)).status;

describe.concurrent.each(Object.entries(STACKS))('an application of Spring Cloud Alibaba %s', (_, stack) => {
  // No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
  it.skipIf(stack.path === undefined)(
    'is known, knows others and is well, before and after a restart of beatbridge, and says goodbye',
    async ({ expect }) => {
      await using before = await startBridge();
      let asked = 0;
      let inAll = 0;
      const count = (chunk: Buffer) => {
        const requests = stack.asked(chunk);
        asked += requests;
        inAll += requests;
        return chunk;
      };
      await using main = await startRelay(before.listeners.main, count);
      await using grpc = await startRelay(before.listeners.grpc, count);
      using healthBefore = healthOf(before, NAME);
      expect(await healthBefore.next()).toBe('SERVICE_UNKNOWN');
      await registerStock(before, 81);
      await publish(before, 'hello');

      using folder = new Folder();
      await using app = await App.start(stack, { main: main.address, grpc: grpc.address }, folder.path);
      await healthBefore.becomes('SERVING');
      expect(await codeOf(before)).toBe(200);
      expect(await listedBy(before)).toEqual([app.address]);
      await expect.poll(() => app.health(), SOON).toMatchObject(UP);
      await using vigil = new Vigil(app);
      expect(await app.discover('stock')).toEqual(['10.0.0.1:81']);
      expect(await app.greeting()).toBe('hello');

      const isCalm = async () => {
        // Being asked how it is, it asks the server.
        await vigil.rest();
        // What it does at first, or because of a change, it has done by then.
        await pause(1_500);
        asked = 0;
        await pause(IDLE_MS);
        expect(asked, 'requests of an idle application').toBeLessThanOrEqual(HANDFUL);
        vigil.begin();
      };
      await publish(before, 'hi');
      await expect.poll(() => app.greeting(), SOON).toBe('hi');
      await isCalm();

      const asItStops = performance.now();
      await before.stop('SIGTERM');
      expect(performance.now() - asItStops).toBeLessThan(STOPPED_WITHIN_MS);
      // Nothing has been said of it since, but that the bridge goes.
      await expect(healthBefore.next()).rejects.toMatchObject({ code: 'unavailable' });
      await expect.poll(() => app.health(), SOON).toMatchObject({ status: 'DOWN' });

      await using after = await startBridge(before.ports);
      using healthAfter = healthOf(after, NAME);
      const first = await healthAfter.next();
      expect(first === 'SERVICE_UNKNOWN' ? await healthAfter.next() : first).toBe('SERVING');
      expect(await codeOf(after)).toBe(200);
      expect(await listedBy(after)).toEqual([app.address]);
      await expect.poll(() => app.health(), SOON).toMatchObject(UP);
      await registerStock(after, 82);
      await expect.poll(() => app.discover('stock'), SOON).toContain('10.0.0.1:82');
      // Its text has gone with the server that had it: it looks for what is not there.
      await isCalm();
      await publish(after, 'again');
      await expect.poll(() => app.greeting(), SOON).toBe('again');

      await vigil.rest();
      expect(vigil.statuses).toEqual(['UP', 'DOWN', 'UP']);
      const ended = app.stop('SIGTERM');
      await healthAfter.becomes('NOT_SERVING');
      expect(await codeOf(after)).toBe(503);
      // One that has only fallen silent is listed for another while.
      await expect((await nacos(after, 'GET', '/instance/list', { serviceName: NAME })).json()).resolves.toMatchObject({
        hosts: [],
      });
      expect(await ended).toBe(TERMINATED);
      expect(app.log).toContain('De-registration finished.');
      // It read its text three times, registered twice, looked for whom to call, and was asked how it is.
      expect(inAll).toBeGreaterThan(20);
    },
  );
});
