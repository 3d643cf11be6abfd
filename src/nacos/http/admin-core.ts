import { namespaceViewV3, switchesView } from '../admin-views.ts';
import { MissingParam, RequestError, shown } from '../errors.ts';
import { coveredNamespace, permittedNamespace } from '../gate.ts';
import { isObject, parseJson, scalar } from '../json.ts';
import { HOME } from '../rules.ts';
import { after, each } from '../turns.ts';
import { readStrictTruth, requiredBare, requiredCore } from './admin-params.ts';
import { COMPATIBLE_VERSION_3, stateFor } from './console.ts';
import { ifReader } from './operator.ts';
import { optional, type Params } from './params.ts';
import { type Asked, type HttpRooms, OK } from './route.ts';

/** What operators of 3.x ask of the server itself, where it differs from the versions before: state, namespaces, switches. */
export function adminCoreCalls(rooms: HttpRooms) {
  return { ...stateCalls(rooms), ...namespaceCalls(rooms), ...opsCalls(rooms) };
}

function stateCalls(rooms: HttpRooms) {
  return {
    state: (asked: Asked) => stateFor(asked, rooms, { version: COMPATIBLE_VERSION_3 }),
    readiness() {
      if (!rooms.isReady()) throw new RequestError('not-ready', 'naming is not in readiness');
      return OK;
    },
  };
}

function namespaceCalls({ registry, namespaces, configs, walks }: HttpRooms) {
  return {
    /** Wherever there is a service, an edit or a text, whether anybody has named it or not: a call of this server's own. */
    usedNamespaces({ params, caller }: Asked) {
      const used = new Set([...registry.namespaces(), ...configs.namespaces()]);
      const looked = walks.run(
        each(registry.edits(), ({ service }) => used.add(service.namespace)),
        caller,
      );
      return after(looked, () => [...used].filter((id) => coveredNamespace(params.permit, id)).sort());
    },
    namespaces({ params }: Asked) {
      return namespaces
        .all()
        .filter(({ id }) => coveredNamespace(params.permit, id))
        .map((one) => namespaceViewV3(one, configs.countIn(one.id || HOME.namespace)));
    },
    namespace({ params }: Asked) {
      const id = permittedNamespace(params.permit, requiredBare(params, 'namespaceId'));
      const found = namespaces.get(id);
      if (found === undefined) throw unknown(id);
      return namespaceViewV3(found, configs.countIn(found.id || HOME.namespace));
    },
    /** How many an operator has made of this id. */
    namespaceCheck: ({ params }: Asked) =>
      namespaces.isNamed(permittedNamespace(params.permit, requiredBare(params, 'namespaceId'))) ? 1 : 0,
    createNamespace({ params, by }: Asked) {
      const { id, ...names } = readNamespace(params);
      if (id === HOME.namespace)
        throw new RequestError('namespace-exists', `namespaceId [${id}] is default namespace id and already exist.`);
      if (!namespaces.create({ id, ...names }, by))
        throw new RequestError('namespace-exists', `namespaceId [${id}] already exist.`);
      return true;
    },
    updateNamespace({ params, by }: Asked) {
      const { id, ...names } = readNamespace(params);
      if (!namespaces.rename(id, names, by)) throw unknown(id);
      return true;
    },
    dropNamespace({ params, by }: Asked) {
      namespaces.drop(permittedNamespace(params.permit, requiredBare(params, 'namespaceId')), by);
      return true;
    },
  };
}

function readNamespace(params: Params) {
  const id = permittedNamespace(params.permit, requiredCore(params, 'namespaceId'));
  const name = requiredCore(params, 'namespaceName');
  const description = optional(params, 'namespaceDesc') ?? '';
  if (id.length > MAX_ID_LENGTH) throw new RequestError('bad-namespace', `too long namespaceId, over ${MAX_ID_LENGTH}`);
  if (!/^[\w-]+$/.test(id)) throw new RequestError('bad-namespace', `namespaceId [${id}] mismatch the pattern`);
  if (/[@#$%^&*]/.test(name)) throw new RequestError('bad-namespace', `namespaceName [${shown(name)}] contains illegal char`);
  for (const [what, text] of Object.entries({ namespaceName: name, namespaceDesc: description }))
    if (text.length > MAX_TEXT_LENGTH)
      throw new RequestError('bad-namespace', `${what} must have at most ${MAX_TEXT_LENGTH} characters, got ${text.length}`);
  return { id, name, description };
}

const MAX_ID_LENGTH = 128;
const MAX_TEXT_LENGTH = 256;

function unknown(id: string): RequestError {
  return new RequestError('namespace-unknown', `namespaceId [ ${shown(id)} ] not exist`);
}

function opsCalls({ registry, switches, clients, walks, gate }: HttpRooms) {
  return {
    metrics({ params, request, caller }: Asked) {
      const status = switches.values.overriddenServerStatus ?? 'UP';
      if (readStrictTruth(params, 'onlyStatus') ?? true) return { status };
      return ifReader(gate, { params, request }, { status }, () => {
        const { serviceCount, instanceCount } = registry;
        const counted = walks.run(clients.counts(), caller);
        return after(counted, (ofClients) => ({ status, serviceCount, instanceCount, ...ofClients }));
      });
    },
    switches: () => switchesView(switches.values),
    /** Log levels are an option of the start. Accepted, as scripts set them on the way. */
    setNamingLog({ params }: Asked) {
      requiredBare(params, 'logName');
      requiredBare(params, 'logLevel');
      return OK;
    },
    /** The same of the core. Nacos wants JSON here; its own Java client (3.0 to 3.2) sends a form, and fails with it there. */
    setCoreLog({ params }: Asked) {
      for (const name of ['logName', 'logLevel']) if (said(params, name) === undefined) throw new MissingParam(name);
      return null;
    },
    /** There is one server, and no log that it would share with others: nothing to transfer, to reset or to shrink. */
    raft({ params }: Asked) {
      if (said(params, 'command') === undefined) throw new MissingParam('command');
      return null;
    },
  };
}

/** From the JSON of the body, or from the form. */
function said(params: Params, name: string): string | undefined {
  const body = parseJson(optional(params, 'body') ?? '');
  return isObject(body) ? scalar(body, name) : optional(params, name);
}
