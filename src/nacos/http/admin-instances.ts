import type { Edit, Instance } from '../../registry/instance.ts';
import type { ServiceName } from '../../registry/service-name.ts';
import { editView, pageView } from '../admin-views.ts';
import { RequestError, shown } from '../errors.ts';
import { isObject, parseJson } from '../json.ts';
import { Long, manyOf } from '../many.ts';
import type { Found } from '../naming.ts';
import { checkedNamespace, checkedService, checkedWeight, DEFAULT_CLUSTER_NAME, HOME, readClusters } from '../rules.ts';
import { after } from '../turns.ts';
import { catalogInstance, clusterNames } from '../views.ts';
import { checkTruths, readStrictPage, readStrictTruth } from './admin-params.ts';
import { seenBy } from './clients.ts';
import { optional, type Params, readNamed, readPlace, readService, required } from './params.ts';
import { type Asked, type HttpRooms, OK } from './route.ts';

/** What operators of 3.x do to instances, where it differs from the versions before, and what they have done. */
export function adminInstanceCalls(rooms: HttpRooms) {
  return { ...editingCalls(rooms), ...readingCalls(rooms), ...addressCalls(rooms), ...overlayCalls(rooms) };
}

function editingCalls({ naming, registry }: HttpRooms) {
  return {
    register({ params, by }: Asked) {
      checkTruths(params);
      naming.register(readService(params), readNamed(params), by);
      return OK;
    },
    update({ params, by }: Asked) {
      checkTruths(params);
      const [service, named] = [readService(params), readNamed(params)];
      if (registry.tally(service) === undefined) throw serviceUnknown(service, named.ephemeral ?? true);
      naming.overlay(service, named, by);
      return OK;
    },
    /** The same of an instance that must be here. */
    patch({ params, by }: Asked) {
      checkTruths(params);
      const service = readService(params);
      naming.instance(service, readPlace(params));
      naming.overlay(service, readNamed(params), by);
      return OK;
    },
  };
}

function readingCalls({ naming, catalog }: HttpRooms) {
  return {
    get({ params }: Asked) {
      const service = readService(params);
      return catalogInstance(service, naming.instance(service, readPlace(params)));
    },
    /** A bare array, with those that are switched off; other clusters than the default one have to be named. */
    list({ params }: Asked) {
      const service = readService(params);
      const [, roll, settings] = catalog.known(service, 'absent', (name) => `service ${name} is not found!`);
      const named = optional(params, 'clusterName') ?? DEFAULT_CLUSTER_NAME;
      const clusters = readClusters(named);
      // That one is there before its first instance, and after its last.
      const known = [DEFAULT_CLUSTER_NAME, ...clusterNames(roll, settings)];
      if (!clusters.some((cluster) => known.includes(cluster)))
        throw new RequestError('absent', `cluster ${shown(named)} is not found!`);
      const healthyOnly = readStrictTruth(params, 'healthyOnly') ?? false;
      const view = (instance: Instance) => (instance.healthy || !healthyOnly ? catalogInstance(service, instance) : undefined);
      return new Long(roll.many(clusters, view));
    },
  };
}

/** A call of this server's own: whoever is to take an address out of service need not know what runs there. */
function addressCalls({ naming, walks }: HttpRooms) {
  return {
    everywhere({ params, caller }: Asked) {
      const namespace = optional(params, 'namespaceId');
      const wanted = namespace === undefined ? undefined : checkedNamespace(namespace);
      const found = walks.run(naming.everywhere(readPlace(params), wanted, seenBy(params)), caller);
      const view = ({ service, instance }: Found) => ({ namespaceId: service.namespace, ...catalogInstance(service, instance) });
      return after(found, (all) => new Long(manyOf(all, view)));
    },
  };
}

/** A call of this server's own: what operators have laid over instances, so that nobody has to wonder why one is offline. */
function overlayCalls({ naming, walks }: HttpRooms) {
  return {
    edits({ params, caller }: Asked) {
      const page = readStrictPage(params);
      const found = walks.run(naming.edits(readWanted(params), page, seenBy(params)), caller);
      return after(found, ({ edits, count }) => new Long(pageView(manyOf(edits, editView), count, page)));
    },
    /** In place of what there is, also of an instance that is still to come: so that a backup can be given back. */
    putEdit({ params, by }: Asked) {
      naming.putEdit(readService(params), readPlace(params), readEdit(params), by);
      return OK;
    },
    unedit({ params, by }: Asked) {
      naming.unedit(readService(params), readPlace(params), by);
      return OK;
    },
  };
}

/** `{"enabled":false,"weight":2,"metadata":{"a":"1","b":null}}`: null takes a key away. Each part may be left out, but not all. */
function readEdit(params: Params): Edit {
  const text = required(params, 'edit');
  const json = parseJson(text);
  if (!isObject(json)) throw badEdit('a JSON object', text);
  const { enabled, weight, metadata, ...rest } = json;
  const isEmpty = enabled === undefined && weight === undefined && metadata === undefined;
  if (isEmpty || Object.keys(rest).length > 0) throw badEdit('of enabled, weight and metadata', text);
  if (enabled !== undefined && typeof enabled !== 'boolean') throw badEdit('with true or false as enabled', text);
  if (weight !== undefined && typeof weight !== 'number') throw badEdit('with a number as weight', text);
  return {
    ...(enabled !== undefined && { enabled }),
    ...(weight !== undefined && { weight: checkedWeight(String(weight)) }),
    ...(metadata !== undefined && { metadata: readEditedMetadata(metadata, text) }),
  };
}

function readEditedMetadata(metadata: unknown, text: string): Readonly<Record<string, string | null>> {
  if (!isObject(metadata)) throw badEdit('with an object as metadata', text);
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]): [string, string | null] => {
      if (value !== null && typeof value !== 'string') throw badEdit('with texts or null in metadata', text);
      return [key, value];
    }),
  );
}

function badEdit(right: string, text: string): RequestError {
  return new RequestError('invalid', `edit must be ${right}, got ${shown(text)}`);
}

/** What is not named is all there is. */
function readWanted(params: Params): Partial<ServiceName> {
  const namespace = optional(params, 'namespaceId');
  const group = optional(params, 'groupName');
  const text = optional(params, 'serviceName');
  const named = text === undefined ? undefined : checkedService(text, HOME.namespace, group ?? HOME.group);
  return {
    ...(namespace !== undefined && { namespace: checkedNamespace(namespace) }),
    ...(group !== undefined && { group }),
    ...(named !== undefined && { group: named.group, name: named.name }),
  };
}

function serviceUnknown(service: ServiceName, ephemeral: boolean): RequestError {
  const { namespace, group, name } = service;
  const where = `Service{namespace='${namespace}', group='${group}', name='${name}', ephemeral=${ephemeral}, revision=0}`;
  return new RequestError('bad-instance', `service not found, namespace: ${namespace}, service: ${where}`);
}
