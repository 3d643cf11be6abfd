import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePorts } from '../support/ports.ts';
import type { Process } from '../support/process.ts';
import { nacos, register } from '../support/server.ts';
import { Driver } from './driver.ts';
import { at, BYSTANDER, freePortsOfNacos, healthOf, IP, present } from './estate.ts';
import { ADMIN, Keys, PASSWORD, startGuarded, startHurried } from './guarded.ts';
import { type Clients, NACOS_CLIENTS, type NacosClient, startClient, startClients } from './nacos-clients.ts';
import { Folder } from './program.ts';
import { startRelay } from './relay.ts';
import { App, NAME, STACKS } from './spring-app.ts';

/** Real clients where everybody has to log in: each is another user, called as the client is. */

const tools = inject('tools');

interface Refused {
  /** How it calls itself in the log of the bridge. */
  readonly agent: string;
  /** What its owner is told of a registration, and of a text that is published; of none where it knows no logins for that. */
  readonly register: RegExp;
  readonly publish: RegExp | undefined;
}

/** Of who has the password wrong. */
const REFUSED: Readonly<Record<string, Refused>> = {
  'java-1.4.8': { agent: 'Nacos-Java-Client:v1.4.8', register: /user not found!/, publish: /user not found!/ },
  // Of a text they are told in the log alone.
  'java-2.5.1': { agent: 'Nacos-Java-Client:v2.5.1', register: /user not found!/, publish: /^false$/ },
  'java-3.2.1': { agent: 'Nacos-Java-Client:v3.2.1', register: /user not found!/, publish: /^false$/ },
  'go-1.1.6': { agent: 'Nacos-Go-Client:v1', register: /code 403/, publish: /user not found!/ },
  // It takes a refusal for no error, and says it in its own log alone.
  'go-2.3.5': { agent: 'Nacos-Go-Client:v2.3.5', register: /returned false/, publish: /user not found!/ },
  'npm-2.6.3': { agent: 'Nacos', register: /failed to req API/, publish: undefined },
  // Without a token they ask for nothing.
  'python-2.0.11': { agent: 'Python', register: /get access token failed/, publish: /get access token failed/ },
  'python-3.2.0': { agent: 'Python', register: /get access token failed/, publish: /get access token failed/ },
  'rust-0.8.3': { agent: 'Nacos-Rust-Client:0.8.3', register: /user not found!/, publish: /user not found!/ },
};

const NAMES = Object.keys(REFUSED);
const KINDS: Readonly<Record<string, NacosClient>> = Object.fromEntries(
  Object.entries(NACOS_CLIENTS).filter(([name]) => NAMES.includes(name)),
);
const loginOf = (name: string, password = PASSWORD) => ['--username', name, '--password', password];
/** It sends its password along, each time. */
const withTokens = (name: string) => name !== 'npm-2.6.3';
const missing = (name: string) => KINDS[name]?.command === undefined;

/** Once they have been refused they try no more: their owners have to. How they call themselves. */
const DOES_NOTHING_AGAIN: ReadonlyMap<string, string> = new Map([
  ['go-2.3.5', 'Nacos-Go-Client:v2.3.5'],
  ['rust-0.8.3', 'Nacos-Rust-Client:0.8.3'],
]);

/**
 * Longer than any of them takes to look whether its token is about to end, and to register again: Java's of 2.x and 3.x log in again a
 * minute after they did the last time, once they have been refused, and no sooner.
 */
const RENEWED_WITHIN = { timeout: 90_000, interval: 1_000 };

describe('where everybody has to log in', () => {
  let keys: Keys;
  let ports: readonly [main: number, grpc: number, health: number];
  let bridge: Process;
  let way: Awaited<ReturnType<typeof startHurried>>;
  let clients: Clients;
  const logs: string[] = [];
  beforeAll(async () => {
    keys = await Keys.for(NAMES);
    const [main = 0, grpc = 0, health = 0] = await freePorts(3);
    ports = [main, grpc, health];
    bridge = await startGuarded(keys, ports);
    way = await startHurried(bridge.listeners.main);
    clients = await startClients(KINDS, { main: way.address, grpc: bridge.listeners.grpc }, loginOf);
  });
  afterAll(async () => {
    await clients?.[Symbol.asyncDispose]();
    await way?.[Symbol.asyncDispose]();
    await bridge?.[Symbol.asyncDispose]();
    keys?.[Symbol.dispose]();
  });
  const restart = async (how: { readonly takesOlder: boolean }) => {
    await bridge.stop('SIGKILL');
    logs.push(bridge.log());
    keys.newSecret();
    bridge = await startGuarded(keys, ports, how);
  };
  /** That its instance is there, by its own doing: by a beat, or as it does all again after a connection has broken. */
  const isBack = async (name: string, port: number) => {
    const listed = async () => {
      const response = await nacos(bridge, 'GET', '/instance/list', { ...ADMIN, serviceName: `of-${name}` });
      return response.text();
    };
    await expect.poll(listed, { ...RENEWED_WITHIN, message: name }).toContain(`"port":${port},`);
  };
  const provide = (name: string, port: number) =>
    clients.the(name).call('register', { service: `of-${name}`, ip: IP, port, metadata: KINDS[name]?.silence ?? {} });

  describe.each(NAMES)('%s', (name) => {
    // No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
    it.skipIf(missing(name))('registers, lists, is told of others, and keeps texts', async () => {
      const client = clients.the(name);
      const service = `of-${name}`;
      await register(bridge, service, { ...BYSTANDER, ...ADMIN });
      await client.call('subscribe', { service });
      await client.told(service, (all) => at(all, BYSTANDER.port) !== undefined);
      await client.call('register', { service, ip: IP, port: 8080 });
      await client.told(service, (all) => present(at(all, 8080)));
      expect(await client.instances(service, KINDS[name]?.uncached)).toHaveLength(2);
      if (REFUSED[name]?.publish !== undefined) {
        const id = { dataId: 'greeting', group: name };
        expect(await client.call('configPublish', { ...id, content: 'hello' })).toBe(true);
        expect(await client.call('configGet', id)).toBe('hello');
      }
      await client.call('deregister', { service, ip: IP, port: 8080 });
      await client.told(service, (all) => at(all, 8080) === undefined);
    });
  });

  it('each logs in anew before its token ends', async () => {
    const counts = new Map(NAMES.map((name) => [name, way.tokens.get(name)?.length ?? 0]));
    await Promise.all(
      clients.all.map(async ([name, client]) => {
        // Some look only when they are asked for something.
        const renewals = async () => {
          await client.instances(`of-${name}`, KINDS[name]?.uncached);
          return (way.tokens.get(name)?.length ?? 0) - (counts.get(name) ?? 0);
        };
        if (withTokens(name)) await expect.poll(renewals, { ...RENEWED_WITHIN, message: name }).toBeGreaterThan(0);
        else expect(way.tokens.get(name)).toBeUndefined();
      }),
    );
  });

  it('each works on with the token that it has when beatbridge comes back with another secret, and takes the one before too', async () => {
    await Promise.all(clients.all.map(([name]) => provide(name, 8081)));
    await restart({ takesOlder: true });
    await Promise.all(clients.all.map(([name]) => isBack(name, 8081)));
    expect(refusalsIn(bridge.log())).toEqual([]);
  });

  it('each recovers with the next token when the one that it has is taken no more', async () => {
    await restart({ takesOlder: false });
    await Promise.all(
      clients.all.map(async ([name]) => {
        if (DOES_NOTHING_AGAIN.has(name)) {
          // Before that Rust's, if asked for anything, would never find out that it has to set up its connection.
          await expect.poll(() => refusalsIn(bridge.log()).join('\n'), RENEWED_WITHIN).toContain(DOES_NOTHING_AGAIN.get(name));
          await expect.poll(() => provide(name, 8081).then(() => 'ok', String), { ...RENEWED_WITHIN, message: name }).toBe('ok');
        }
        await isBack(name, 8081);
      }),
    );
    expect(refusalsIn(bridge.log()).join('\n')).toContain('bad-token');
  });

  it('no password and no token is in any log, whatever clients put into their addresses', () => {
    const text = [...logs, bridge.log()].join('\n');
    expect(refusalsIn(text).length).toBeGreaterThan(3);
    const tokens = [...way.tokens.values()].flat();
    expect(tokens.length).toBeGreaterThan(NAMES.length);
    for (const secret of [...tokens, PASSWORD, encodeURIComponent(PASSWORD), 'correct+horse'])
      expect(text.includes(secret), secret).toBe(false);
  });
});

describe.concurrent('with a wrong password', () => {
  let keys: Keys;
  let bridge: Process;
  beforeAll(async () => {
    keys = await Keys.for(NAMES);
    const [main = 0, grpc = 0, health = 0] = await freePorts(3);
    bridge = await startGuarded(keys, [main, grpc, health]);
  });
  afterAll(async () => {
    await bridge?.[Symbol.asyncDispose]();
    keys?.[Symbol.dispose]();
  });

  describe.each(Object.entries(REFUSED))('%s', (name, { agent, register, publish }) => {
    // Likewise.
    it.skipIf(missing(name))('is told no, and the bridge says who it is', async ({ expect }) => {
      await using client = await startClient(name, bridge.listeners, loginOf(name, 'wrong horse'));
      const service = `of-${name}`;
      const said = (op: string, params: Readonly<Record<string, unknown>>) => client.call(op, params).then(String, String);
      expect(await said('register', { service, ip: IP, port: 8080 })).toMatch(register);
      if (publish !== undefined)
        expect(await said('configPublish', { dataId: 'greeting', group: name, content: 'hello' })).toMatch(publish);
      expect((await nacos(bridge, 'GET', '/service', { ...ADMIN, serviceName: service })).status).not.toBe(200);
      await expect.poll(() => refusalsIn(bridge.log()).join('\n')).toContain(`(${agent}`);
    });
  });
});

describe.concurrent.each(Object.entries(STACKS))('an application of Spring Cloud Alibaba %s', (_, stack) => {
  const loginAs = (password: string) => [`--spring.cloud.nacos.username=spring`, `--spring.cloud.nacos.password=${password}`];

  // No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
  it.skipIf(stack.path === undefined)(
    'logs in, renews its token, and does not start with a wrong password',
    async ({ expect }) => {
      using keys = await Keys.for(['spring']);
      await using bridge = await startGuarded(keys, await freePortsOfNacos());
      const text = { dataId: 'greeter.properties', group: 'DEFAULT_GROUP', content: 'greeting=hello' };
      expect((await nacos(bridge, 'POST', '/nacos/v1/cs/configs', { ...ADMIN, ...text })).status).toBe(200);
      await register(bridge, 'stock', { ...ADMIN, port: 81, ephemeral: 'false' });
      using folder = new Folder();
      {
        await using way = await startHurried(bridge.listeners.main);
        const addresses = { main: way.address, grpc: bridge.listeners.grpc };
        await using app = await App.start(stack, addresses, folder.path, ...loginAs(PASSWORD));
        using health = healthOf(bridge, NAME);
        await health.becomes('SERVING');
        expect(await app.discover('stock')).toEqual(['10.0.0.1:81']);
        expect(await app.greeting()).toBe('hello');
        const first = way.tokens.get('spring')?.length ?? 0;
        expect(first).toBeGreaterThan(0);
        await expect.poll(() => way.tokens.get('spring')?.length ?? 0, RENEWED_WITHIN).toBeGreaterThan(first);
        expect(refusalsIn(bridge.log())).toEqual([]);
      }
      const refused = App.start(stack, bridge.listeners, folder.path, ...loginAs('wrong horse'));
      await expect(refused).rejects.toThrow(/user not found!|APPLICATION FAILED TO START/);
      expect(refusalsIn(bridge.log()).join('\n')).toContain('wrong-login');
    },
  );
});

describe('dubbo-go', () => {
  const { path } = tools.dubboGoGreeter;
  const start = async (role: string, server: string, password: string) => {
    const [port] = await freePorts(1);
    const options = ['--mode', 'interface', '--port', `${port}`, '--application', `greeter-${role}`];
    return Driver.start([path ?? '', role, ...options, ...loginOf('dubbo-go', password)], server);
  };

  // No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
  it.skipIf(path === undefined)(
    'a provider and its consumer log in and renew their tokens, and a wrong password registers nobody',
    async () => {
      using keys = await Keys.for(['dubbo-go']);
      await using bridge = await startGuarded(keys, await freePortsOfNacos());
      // It looks for the gRPC side 1,000 above the port that it is given.
      const [main, grpc] = await freePortsOfNacos();
      await using way = await startHurried(bridge.listeners.main, main);
      await using _grpcWay = await startRelay(bridge.listeners.grpc, undefined, grpc);
      using health = healthOf(bridge, 'com.example.Greeter');
      await using _provider = await start('provider', way.address, PASSWORD);
      await using consumer = await start('consumer', way.address, PASSWORD);
      await expect.poll(() => consumer.call('call', { name: 'you' }).catch(String), { timeout: 30_000 }).toMatch(/^hello you/);
      await health.is('SERVING');
      const first = way.tokens.get('dubbo-go')?.length ?? 0;
      expect(first).toBeGreaterThan(0);
      await expect.poll(() => way.tokens.get('dubbo-go')?.length ?? 0, RENEWED_WITHIN).toBeGreaterThan(first);
      expect(refusalsIn(bridge.log())).toEqual([]);
      await expect(start('provider', bridge.listeners.main, 'wrong horse')).rejects.toThrow();
      await expect.poll(() => refusalsIn(bridge.log()).join('\n')).toContain('wrong-login');
    },
  );
});

/** What the bridge says of whom it has refused. */
function refusalsIn(log: string): readonly string[] {
  return log.split('\n').filter((line) => /"refused [0-9]+ /.test(line));
}
