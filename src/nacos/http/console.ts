import type { LoggedIn, Refusal } from '../../rights/admission.ts';
import { MissingParam, RequestError } from '../errors.ts';
import { coveredNamespace, NotPermitted, permitted, permittedNamespace } from '../gate.ts';
import type { Namespace } from '../namespaces.ts';
import { namespaceView } from '../views.ts';
import { ifReader, portOf } from './operator.ts';
import { optional, type Params, readFlag, required } from './params.ts';
import { Answer, type Asked, type HttpRooms, OK } from './route.ts';

/** Calls of Nacos's console, and of whatever waits for Nacos to be ready: login, namespaces, state. */
export function consoleCalls(rooms: HttpRooms) {
  return { login: loginCall(rooms), ...namespaceCalls(rooms), ...stateCalls(rooms) };
}

/** There is nobody to tell apart as long as access is not controlled: whoever logs in gets the token that says so. */
function loginCall({ gate }: HttpRooms) {
  return ({ params, request }: Asked) => {
    const [name, password] = [params.get('username'), params.get('password')];
    if (name === undefined) throw new MissingParam('username');
    if (password === undefined) throw new MissingParam('password');
    if (gate?.login === undefined) return openLogin(name);
    const said = gate.login(request, { ...LOGIN, params: params.pairs() }, { name, password });
    return said instanceof Promise ? said.then(answered) : answered(said);
  };

  function answered(said: LoggedIn | Refusal) {
    if (said.isRefusal) throw new NotPermitted(said);
    const { isRefusal: _, ...body } = said;
    return new Answer(body, { Authorization: `Bearer ${said.accessToken}` });
  }
}

/** What is said of who calls are the very words of the call. */
const LOGIN = { ownParams: true, isScoped: false, isChange: false, example: 'login' };

function openLogin(username: string) {
  return { accessToken: 'AUTH_DISABLED', tokenTtl: 18_000, globalAdmin: true, username };
}

function namespaceCalls({ namespaces }: HttpRooms) {
  return {
    namespaces: ({ params }: Asked) => {
      if (readFlag(params, 'checkNamespaceIdExist'))
        return namespaces.isNamed(permittedNamespace(params.permit, optional(params, 'customNamespaceId') ?? ''));
      if (optional(params, 'show') === 'all') return namespaceView(namespaceOf(params));
      return { code: 200, message: null, data: all(params) };
    },
    createNamespace: (asked: Asked) => create(asked, 'customNamespaceId'),
    updateNamespace: (asked: Asked) => rename(asked, 'namespace', 'namespaceShowName'),
    dropNamespace: ({ params, by }: Asked) => {
      namespaces.drop(permittedNamespace(params.permit, required(params, 'namespaceId')), by);
      return true;
    },

    namespacesV2: ({ params }: Asked) => all(params),
    namespaceV2: ({ params }: Asked) => namespaceView(namespaceOf(params)),
    createNamespaceV2: (asked: Asked) => {
      if (!create(asked, 'namespaceId')) throw new RequestError('namespace-exists', 'namespaceId already exists');
      return true;
    },
    updateNamespaceV2: (asked: Asked) => {
      if (!rename(asked, 'namespaceId', 'namespaceName')) throw new RequestError('namespace-unknown', 'namespace not exist');
      return true;
    },
  };

  function all({ permit }: Params) {
    return namespaces
      .all()
      .filter(({ id }) => coveredNamespace(permit, id))
      .map(namespaceView);
  }

  function namespaceOf(params: Params): Namespace {
    const found = namespaces.get(permittedNamespace(params.permit, optional(params, 'namespaceId') ?? ''));
    if (found === undefined) throw new RequestError('namespace-unknown', 'namespace not exist');
    return found;
  }

  /** False when there is one of that id. */
  function create({ params, by }: Asked, idParam: string): boolean {
    const id = optional(params, idParam);
    if (id !== undefined && !/^[\w-]{1,128}$/.test(id))
      throw new RequestError('bad-namespace', `${idParam} must be letters, digits, _ or -, at most 128`);
    if (id === undefined) permitted(params.permit, 'naming', {});
    else permittedNamespace(params.permit, id);
    return namespaces.create({ id, ...namesIn(params, 'namespaceName') }, by);
  }

  /** False when nobody has named it. */
  function rename({ params, by }: Asked, idParam: string, nameParam: string): boolean {
    return namespaces.rename(permittedNamespace(params.permit, required(params, idParam)), namesIn(params, nameParam), by);
  }
}

function stateCalls(rooms: HttpRooms) {
  const { isReady } = rooms;
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
    state: (asked: Asked) => stateFor(asked, rooms, { version: COMPATIBLE_VERSION, standalone_mode: 'standalone' }),
    /** Texts that an operator has put up: there are none. */
    notice: () => ({ code: 200, message: null, data: null }),
  };
}

/** What version-minded clients are to expect: the last of the line whose errors and shapes are served. */
export const COMPATIBLE_VERSION = '2.5.1';
/** The same below paths of version 3. */
export const COMPATIBLE_VERSION_3 = '3.0.3';

/** What 2.x and 3.x say of a server; `named`: what each version has of its own. Who may read nothing here is told no more than how to. */
export function stateFor(asked: Asked, rooms: HttpRooms, named: Readonly<Record<string, string>>): object | Promise<object> {
  const open = { ...openState(rooms), ...named };
  return ifReader(rooms.gate, asked, open, () => ({ ...open, ...closedState(asked.local, rooms) }), true);
}

/** Each value is a text, or null. What has no meaning here is as Nacos starts. */
function openState({ desk }: HttpRooms) {
  return {
    startup_mode: 'standalone',
    function_mode: null,
    auth_enabled: String(desk !== undefined),
    auth_system_type: 'nacos',
    // A console then asks for the first administrator.
    auth_admin_request: String(desk?.hasAdmin === false),
    console_ui_enabled: 'false',
    login_page_enabled: String(desk !== undefined),
  };
}

function closedState(local: string, { limits }: HttpRooms) {
  return {
    server_port: portOf(local),
    config_retention_days: '30',
    maxContent: String(limits.maxConfigBytes),
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
