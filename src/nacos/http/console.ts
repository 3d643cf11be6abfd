import { RequestError } from '../errors.ts';
import type { Namespace } from '../namespaces.ts';
import { namespaceView } from '../views.ts';
import { portOf } from './operator.ts';
import { optional, type Params, readFlag, required } from './params.ts';
import { Answer, type Asked, type HttpRooms, OK } from './route.ts';

/** Calls of Nacos's console, and of whatever waits for Nacos to be ready: login, namespaces, state. */
export function consoleCalls(rooms: HttpRooms) {
  return { login, ...namespaceCalls(rooms), ...stateCalls(rooms) };
}

/** There is nobody to tell apart as long as access is not controlled: whoever logs in gets the token that says so. */
function login({ params }: Asked) {
  const username = required(params, 'username');
  required(params, 'password');
  return { accessToken: 'AUTH_DISABLED', tokenTtl: 18_000, globalAdmin: true, username };
}

function namespaceCalls({ namespaces }: HttpRooms) {
  return {
    namespaces: ({ params }: Asked) => {
      if (readFlag(params, 'checkNamespaceIdExist')) return namespaces.isNamed(optional(params, 'customNamespaceId') ?? '');
      if (optional(params, 'show') === 'all') return namespaceView(namespaceOf(params));
      return { code: 200, message: null, data: all() };
    },
    createNamespace: ({ params }: Asked) => create(params, 'customNamespaceId'),
    updateNamespace: ({ params }: Asked) => rename(params, 'namespace', 'namespaceShowName'),
    dropNamespace: ({ params }: Asked) => {
      namespaces.drop(required(params, 'namespaceId'));
      return true;
    },

    namespacesV2: all,
    namespaceV2: ({ params }: Asked) => namespaceView(namespaceOf(params)),
    createNamespaceV2: ({ params }: Asked) => {
      if (!create(params, 'namespaceId')) throw new RequestError('namespace-exists', 'namespaceId already exists');
      return true;
    },
    updateNamespaceV2: ({ params }: Asked) => {
      if (!rename(params, 'namespaceId', 'namespaceName')) throw new RequestError('namespace-unknown', 'namespace not exist');
      return true;
    },
  };

  function all() {
    return namespaces.all().map(namespaceView);
  }

  function namespaceOf(params: Params): Namespace {
    const found = namespaces.get(optional(params, 'namespaceId') ?? '');
    if (found === undefined) throw new RequestError('namespace-unknown', 'namespace not exist');
    return found;
  }

  /** False when there is one of that id. */
  function create(params: Params, idParam: string): boolean {
    const id = optional(params, idParam);
    if (id !== undefined && !/^[\w-]{1,128}$/.test(id))
      throw new RequestError('bad-namespace', `${idParam} must be letters, digits, _ or -, at most 128`);
    return namespaces.create({ id, ...namesIn(params, 'namespaceName') });
  }

  /** False when nobody has named it. */
  function rename(params: Params, idParam: string, nameParam: string): boolean {
    return namespaces.rename(required(params, idParam), namesIn(params, nameParam));
  }
}

function stateCalls({ isReady, limits }: HttpRooms) {
  return {
    liveness: () => 'OK',
    readiness: () => {
      if (!isReady()) throw new RequestError('not-up', 'Naming is not in readiness');
      return 'OK';
    },
    livenessV2: () => OK,
    /** Nacos's own would be a 200 with a code in it, which no probe reads. */
    readinessV2: () => {
      if (!isReady()) throw new RequestError('not-ready', 'Naming is not in readiness');
      return OK;
    },
    /** Spring's word for a server that is not to be asked. */
    actuatorHealth: () => (isReady() ? { status: 'UP' } : new Answer({ status: 'OUT_OF_SERVICE' }, {}, 503)),
    /** 1.x calls the mode by another name. */
    state: ({ local }: Asked) => ({ ...stateOf(local, limits), standalone_mode: 'standalone' }),
    /** Texts that an operator has put up: there are none. */
    notice: () => ({ code: 200, message: null, data: null }),
  };
}

/** What version-minded clients are to expect: the last of the line whose errors and shapes are served. */
export const COMPATIBLE_VERSION = '2.5.1';
/** The same below paths of version 3. */
export const COMPATIBLE_VERSION_3 = '3.0.3';

/** What 2.x and 3.x say of a server: each value is a text, or null. What has no meaning here is as Nacos starts. */
export function stateOf(local: string, { maxConfigBytes }: HttpRooms['limits']) {
  return {
    version: COMPATIBLE_VERSION,
    startup_mode: 'standalone',
    function_mode: null,
    server_port: portOf(local),
    auth_enabled: 'false',
    auth_system_type: 'nacos',
    auth_admin_request: 'false',
    console_ui_enabled: 'false',
    login_page_enabled: 'false',
    config_retention_days: '30',
    maxContent: String(maxConfigBytes),
    defaultMaxSize: '102400',
    defaultMaxAggrSize: '1024',
    defaultMaxAggrCount: '10000',
    defaultGroupQuota: '200',
    defaultClusterQuota: '100000',
    isCapacityLimitCheck: 'false',
    isManageCapacity: 'true',
    isHealthCheck: 'true',
    maxHealthCheckFailCount: '12',
    notifyConnectTimeout: '100',
    notifySocketTimeout: '200',
    datasource_platform: '',
    plugin_datasource_log_enabled: 'false',
  };
}

/** A request that gives no name must not take the one that there is. */
function namesIn(params: Params, nameParam: string) {
  const name = short(nameParam, required(params, nameParam));
  return { name, description: short('namespaceDesc', optional(params, 'namespaceDesc') ?? '') };
}

function short(name: string, text: string): string {
  if (text.length > 256) throw new RequestError('invalid', `${name} must have at most 256 characters`);
  return text;
}
