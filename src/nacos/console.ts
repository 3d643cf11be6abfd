import { randomUUID } from 'node:crypto';
import { DEFAULT_NAMESPACE } from '../registry/service-name.ts';
import { type Call, type NacosRoom, OK } from './instances.ts';
import { optional, type Params, readFlag, required } from './params.ts';
import { RequestError } from './request-error.ts';

/** Calls of Nacos's console, and of whatever waits for Nacos to be ready: namespaces, login, state. */
export function consoleCalls({ switches }: NacosRoom) {
  /** Names that an operator has given to namespaces. Instances live in any namespace, named or not. */
  const named = new Map<string, Namespace>();

  return {
    /** There is nobody to tell apart as long as access is not controlled: whoever logs in gets the token that says so. */
    login: ({ params }: Call) => {
      const username = required(params, 'username');
      required(params, 'password');
      return { accessToken: 'AUTH_DISABLED', tokenTtl: 18_000, globalAdmin: true, username };
    },

    namespaces: ({ params }: Call) => {
      if (readFlag(params, 'checkNamespaceIdExist')) {
        return named.has(optional(params, 'customNamespaceId') ?? '');
      }
      if (optional(params, 'show') === 'all') return view(namespaceOf(params));
      return { code: 200, message: null, data: all() };
    },
    createNamespace: ({ params }: Call) => create(params, 'customNamespaceId'),
    updateNamespace: ({ params }: Call) => update(params, 'namespace', 'namespaceShowName'),
    dropNamespace: ({ params }: Call) => drop(params),

    namespacesV2: all,
    namespaceV2: ({ params }: Call) => view(namespaceOf(params)),
    createNamespaceV2: ({ params }: Call) => {
      if (!create(params, 'namespaceId')) throw new RequestError('namespace-exists', 'namespaceId already exists');
      return true;
    },
    updateNamespaceV2: ({ params }: Call) => {
      if (!update(params, 'namespaceId', 'namespaceName')) throw new RequestError('namespace-unknown', 'namespace not exist');
      return true;
    },

    liveness: () => 'OK',
    readiness: () => {
      if (switches.values.overriddenServerStatus === 'DOWN') throw new RequestError('not-up', 'Naming is not in readiness');
      return 'OK';
    },
    ready: () => OK,
    actuatorHealth: () => ({ status: 'UP' }),
    state: ({ local }: Call) => ({
      version: COMPATIBLE_VERSION,
      standalone_mode: 'standalone',
      startup_mode: 'standalone',
      function_mode: 'naming',
      server_port: local.slice(local.lastIndexOf(':') + 1),
      auth_enabled: 'false',
      auth_system_type: 'nacos',
    }),
  };

  function all() {
    return [view(PUBLIC), ...[...named.values()].map(view)];
  }

  function namespaceOf(params: Params): Namespace {
    const id = optional(params, 'namespaceId') ?? '';
    const found = id === '' || id === DEFAULT_NAMESPACE ? PUBLIC : named.get(id);
    if (found === undefined) throw new RequestError('namespace-unknown', 'namespace not exist');
    return found;
  }

  /** False when there is one of that id. */
  function create(params: Params, idParam: string): boolean {
    const id = optional(params, idParam) ?? randomUUID();
    if (!/^[\w-]{1,128}$/.test(id))
      throw new RequestError('bad-namespace', `${idParam} must be letters, digits, _ or -, at most 128`);
    if (id === DEFAULT_NAMESPACE || named.has(id)) return false;
    if (named.size >= MAX_NAMESPACES) throw new RequestError('too-many', `more than ${MAX_NAMESPACES} namespaces`);
    named.set(id, { id, name: shortText(params, 'namespaceName'), description: shortText(params, 'namespaceDesc'), type: 2 });
    return true;
  }

  function update(params: Params, idParam: string, nameParam: string): boolean {
    const old = named.get(required(params, idParam));
    if (old === undefined) return false;
    named.set(old.id, { ...old, name: shortText(params, nameParam), description: shortText(params, 'namespaceDesc') });
    return true;
  }

  function drop(params: Params): boolean {
    named.delete(required(params, 'namespaceId'));
    return true;
  }
}

interface Namespace {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** 0: the one that is always there; 2: made by an operator. */
  readonly type: 0 | 2;
}

/** Here its id is blank, though naming calls it `public`. */
const PUBLIC: Namespace = { id: '', name: DEFAULT_NAMESPACE, description: 'Public Namespace', type: 0 };

/** What version-minded clients are to expect: the last of the line whose errors and shapes are served. */
const COMPATIBLE_VERSION = '2.5.1';

const MAX_NAMESPACES = 10_000;

function shortText(params: Params, name: string): string {
  const text = optional(params, name) ?? '';
  if (text.length > 256) throw new RequestError('invalid', `${name} must have at most 256 characters`);
  return text;
}

function view({ id, name, description, type }: Namespace) {
  return { namespace: id, namespaceShowName: name, namespaceDesc: description, quota: 200, configCount: 0, type };
}
