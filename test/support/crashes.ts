import { type ChildProcess, execFileSync } from 'node:child_process';
import type { NacosGrpc } from './nacos-grpc.ts';
import type { Process } from './process.ts';
import { nacos } from './server.ts';

/**
 * Writers whose every write must survive, each with one thing of its own, and with what it knows of it: what was acknowledged last, and
 * what was asked for since. Each write is a number that stands in every field, so that a write by half shows.
 */
export interface Writer {
  readonly name: string;
  /** What may be there: undefined is nothing. */
  possible: ReadonlySet<number | undefined>;
  /** What is in force, or was asked for last. */
  current: number | undefined;
  acknowledged: number;
  readonly kind: Kind;
}

/** Any of them answers whether it was acknowledged, and throws when the server has gone. */
interface Kind {
  readonly prepare?: (to: Target, name: string) => Promise<void>;
  readonly write: (to: Target, name: string, n: number, isNew: boolean) => Promise<boolean>;
  readonly remove: (to: Target, name: string) => Promise<boolean>;
  /** Throws when it is there by half. */
  readonly read: (to: Target, name: string) => Promise<number | undefined>;
}

export interface Target {
  readonly server: Process;
  readonly grpc: NacosGrpc;
}

const ADMIN = '/nacos/v3/admin/ns/instance';

export const KINDS: Readonly<Record<string, Kind>> = {
  'a persistent instance': {
    write: (to, name, n) => ok(to, 'POST', '/instance', { ...at(name), ephemeral: 'false', ...said(n) }),
    remove: (to, name) => ok(to, 'DELETE', '/instance', { ...at(name), ephemeral: 'false' }),
    read: (to, name) => instanceIn(to, name),
  },
  'a persistent instance, over gRPC': {
    write: ({ grpc }, name, n) => asked(grpc, 'PersistentInstanceRequest', persistent(name, 'registerInstance', n)),
    remove: ({ grpc }, name) => asked(grpc, 'PersistentInstanceRequest', persistent(name, 'deregisterInstance', 1)),
    read: (to, name) => instanceIn(to, name),
  },
  'an edit': {
    prepare: async (to, name) => {
      await ok(to, 'POST', '/instance', { ...at(name), ephemeral: 'false' });
    },
    write: (to, name, n) => ok(to, 'PUT', '/instance', { ...at(name), ephemeral: 'false', ...said(n) }),
    remove: (to, name) => ok(to, 'DELETE', '/nacos/v3/admin/ns/overlay', at(name)),
    read: (to, name) => instanceIn(to, name),
  },
  'a service': {
    write: (to, name, n, isNew) =>
      ok(to, isNew ? 'POST' : 'PUT', '/service', {
        serviceName: name,
        protectThreshold: thresholdOf(n),
        metadata: JSON.stringify({ x: `${n}` }),
      }),
    remove: (to, name) => ok(to, 'DELETE', '/service', { serviceName: name }),
    read: async ({ server }, name) => {
      const response = await nacos(server, 'GET', '/service', { serviceName: name });
      if (!response.ok) return absent(response);
      const { protectThreshold, metadata } = (await response.json()) as { protectThreshold: number; metadata: { x: string } };
      return whole(name, Number(metadata.x), protectThreshold === Number(thresholdOf(Number(metadata.x))));
    },
  },
  'a text': {
    write: (to, name, n) => ok(to, 'POST', '/nacos/v1/cs/configs', { ...text(name), content: contentOf(n) }),
    remove: (to, name) => ok(to, 'DELETE', '/nacos/v1/cs/configs', text(name)),
    read: (to, name) => textIn(to, name),
  },
  'a text, over gRPC': {
    write: ({ grpc }, name, n) => asked(grpc, 'ConfigPublishRequest', { ...text(name), content: contentOf(n) }),
    remove: ({ grpc }, name) => asked(grpc, 'ConfigRemoveRequest', text(name)),
    read: (to, name) => textIn(to, name),
  },
  'a namespace': {
    write: (to, name, n, isNew) =>
      isNew
        ? ok(to, 'POST', NAMESPACES, { customNamespaceId: name, namespaceName: `${n}`, namespaceDesc: `${n}` })
        : ok(to, 'PUT', NAMESPACES, { namespace: name, namespaceShowName: `${n}`, namespaceDesc: `${n}` }),
    remove: (to, name) => ok(to, 'DELETE', NAMESPACES, { namespaceId: name }),
    read: async ({ server }, name) => {
      const answer = (await (await nacos(server, 'GET', '/nacos/v2/console/namespace/list', {})).json()) as {
        data: readonly { namespace: string; namespaceShowName: string; namespaceDesc: string }[];
      };
      const found = answer.data.find(({ namespace }) => namespace === name);
      return found && whole(name, Number(found.namespaceShowName), found.namespaceDesc === found.namespaceShowName);
    },
  },
};

const NAMESPACES = '/nacos/v1/console/namespaces';

export function writersOf(each: number): readonly Writer[] {
  return Object.entries(KINDS).flatMap(([title, kind], i) =>
    Array.from({ length: each }, (_, j) => {
      const name = `${title.replaceAll(/\W+/g, '-')}-${i}-${j}`;
      return { name, kind, possible: new Set([undefined]), current: undefined, acknowledged: 0 };
    }),
  );
}

/** Writes until the server has gone. What is refused is in force all the same, so that it may be there or not after a restart. */
export async function writeOn(writer: Writer, to: Target, random: () => number): Promise<void> {
  try {
    for (;;) {
      const { kind, name, current } = writer;
      const next =
        current !== undefined && random() < 0.3 ? undefined : (writer.acknowledged + 1) * 1_000 + Math.floor(random() * 1_000);
      writer.current = next;
      writer.possible = new Set([...writer.possible, next]);
      const isKept = next === undefined ? await kind.remove(to, name) : await kind.write(to, name, next, current === undefined);
      if (!isKept) continue;
      writer.possible = new Set([next]);
      writer.acknowledged++;
    }
  } catch (error) {
    if (error instanceof Refused) throw error;
  }
}

/** What is wrong with what there is, after a restart; the writer goes on from what is there. */
export async function faultOf(writer: Writer, to: Target): Promise<string | undefined> {
  const found = await writer.kind.read(to, writer.name);
  const isRight = writer.possible.has(found);
  const fault = `${writer.name} is ${found}, and not one of ${[...writer.possible]}`;
  writer.possible = new Set([found]);
  writer.current = found;
  return isRight ? undefined : fault;
}

/** An answer that is neither yes nor that it cannot be kept now. */
class Refused extends Error {}

/** From now on no file of the process gets longer than that, in bytes: as on a disk that is full. Undefined: there is space again. */
export function limitFiles({ pid }: ChildProcess, bytes: number | undefined): void {
  execFileSync('prlimit', ['--pid', `${pid}`, `--fsize=${bytes ?? 'unlimited'}:unlimited`]);
}

async function ok(
  { server }: Target,
  method: string,
  path: string,
  params: Readonly<Record<string, string | number>>,
): Promise<boolean> {
  const response = await nacos(server, method, path, params);
  const body = await response.text();
  if (response.status === 503 && body.includes(NOT_KEPT)) return false;
  if (!response.ok) throw new Refused(`${method} ${path} ${JSON.stringify(params)}: ${response.status} ${body}`);
  return true;
}

async function asked(grpc: NacosGrpc, type: string, request: object): Promise<boolean> {
  const { body } = await grpc.ask(type, request);
  if (body.resultCode === 200) return true;
  if (String(body.message).includes(NOT_KEPT)) return false;
  throw new Refused(`${type}: ${JSON.stringify(body)}`);
}

export const NOT_KEPT = 'it is in force, but would not survive a restart: ';

const at = (name: string) => ({ serviceName: name, ip: '10.0.0.1', port: 80 });
const text = (name: string) => ({ tenant: '', dataId: name, group: 'crash' });
const weightOf = (n: number) => (n % 1_000) + 1;
const thresholdOf = (n: number) => `0.${100 + (n % 900)}`;
const contentOf = (n: number) => `${n} `.repeat(40);
const said = (n: number) => ({
  weight: weightOf(n),
  enabled: String(n % 2 === 0),
  metadata: JSON.stringify({ x: `${n}`, y: `${n}` }),
});

function persistent(name: string, type: string, n: number) {
  const instance = { ip: '10.0.0.1', port: 80, ephemeral: false, weight: weightOf(n), enabled: n % 2 === 0, healthy: true };
  const metadata = { x: `${n}`, y: `${n}` };
  return { namespace: 'public', serviceName: name, groupName: 'DEFAULT_GROUP', type, instance: { ...instance, metadata } };
}

async function instanceIn({ server }: Target, name: string): Promise<number | undefined> {
  const response = await nacos(server, 'GET', ADMIN, at(name));
  if (!response.ok) return absent(response);
  const { data } = (await response.json()) as {
    data: { weight: number; enabled: boolean; metadata: { x?: string; y?: string } };
  };
  if (data.metadata.x === undefined && data.metadata.y === undefined) return undefined;
  const n = Number(data.metadata.x);
  return whole(name, n, data.metadata.y === `${n}` && data.weight === weightOf(n) && data.enabled === (n % 2 === 0));
}

async function textIn({ server }: Target, name: string): Promise<number | undefined> {
  const response = await nacos(server, 'GET', '/nacos/v1/cs/configs', text(name));
  if (!response.ok) return absent(response);
  const content = await response.text();
  const n = Number.parseInt(content, 10);
  return whole(name, n, content === contentOf(n));
}

async function absent(response: Response): Promise<undefined> {
  const body = await response.text();
  if (response.status >= 500 && !/not (found|exist)/.test(body)) throw new Error(`${response.status} ${body}`);
}

function whole(name: string, n: number, isWhole: boolean): number {
  if (!isWhole) throw new Error(`${name} is there by half: ${n}`);
  return n;
}
