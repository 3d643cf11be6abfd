import type { ServiceName } from '../../registry/service-name.ts';
import { editView, pageView } from '../admin-views.ts';
import { RequestError, shown } from '../errors.ts';
import { checkedNamespace, checkedService, DEFAULT_CLUSTER_NAME, HOME, readClusters } from '../rules.ts';
import { catalogInstance, clusterNames, inClusters } from '../views.ts';
import { checkTruths, readStrictPage, readStrictTruth } from './admin-params.ts';
import { optional, type Params, readNamed, readPlace, readService } from './params.ts';
import { type Asked, type HttpRooms, OK } from './route.ts';

/** What operators of 3.x do to instances, where it differs from the versions before, and what they have done. */
export function adminInstanceCalls(rooms: HttpRooms) {
  return { ...editingCalls(rooms), ...readingCalls(rooms), ...overlayCalls(rooms) };
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
      const [, instances, settings] = catalog.known(service, 'absent', (name) => `service ${name} is not found!`);
      const named = optional(params, 'clusterName') ?? DEFAULT_CLUSTER_NAME;
      const clusters = readClusters(named);
      // That one is there before its first instance, and after its last.
      const known = [DEFAULT_CLUSTER_NAME, ...clusterNames(instances, settings)];
      if (!clusters.some((cluster) => known.includes(cluster)))
        throw new RequestError('absent', `cluster ${shown(named)} is not found!`);
      const healthyOnly = readStrictTruth(params, 'healthyOnly') ?? false;
      return inClusters(instances, clusters)
        .filter(({ healthy }) => healthy || !healthyOnly)
        .map((instance) => catalogInstance(service, instance));
    },
  };
}

/** A call of this server's own: what operators have laid over instances, so that nobody has to wonder why one is offline. */
function overlayCalls({ naming }: HttpRooms) {
  return {
    edits({ params }: Asked) {
      const page = readStrictPage(params);
      const { edits, count } = naming.edits(readWanted(params), page);
      return pageView(edits.map(editView), count, page);
    },
    unedit({ params, by }: Asked) {
      naming.unedit(readService(params), readPlace(params), by);
      return OK;
    },
  };
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
