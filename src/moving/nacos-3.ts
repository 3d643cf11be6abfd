import { groupedName, type ServiceName } from '../registry/service-name.ts';
import {
  allPages,
  clusterIn,
  clustersIn,
  flagIn,
  instanceIn,
  metadataIn,
  numberIn,
  objectIn,
  orAbsent,
  pageIn,
  selectorIn,
  textIn,
} from './answers.ts';
import { type Api, isObject } from './api.ts';
import { RefusedError } from './errors.ts';
import { type NamespaceLine, type ServiceSaid, saysNothing, type TextLine } from './lines.ts';
import { type FoundService, PAGE, type Peer } from './peer.ts';

/** A Nacos 3 by its admin calls, which a beatbridge serves as well: there are no others that one of both would not refuse. */
export function nacos3(api: Api, name: string): Peer {
  return { name, isBeatbridge: false, ...reading(api), ...writing(api) };
}

function reading(api: Api) {
  return {
    async namespaces(): Promise<readonly NamespaceLine[]> {
      const list = await api.data('GET', '/v3/admin/core/namespace/list');
      return namespacesIn(list);
    },
    usedNamespaces: async () => [],
    async services(namespace: string): Promise<readonly ServiceName[]> {
      const items = await allPages(async (pageNo) => {
        const asked = { namespaceId: namespace, pageNo, pageSize: PAGE };
        return pageIn(await api.data('GET', '/v3/admin/ns/service/list', asked));
      });
      return items.map((item) => ({ namespace, group: textIn(item, 'groupName'), name: textIn(item, 'name') }));
    },
    async service(service: ServiceName): Promise<FoundService | undefined> {
      const data = await orAbsent(api.data('GET', '/v3/admin/ns/service', named(service)), isUnknown);
      if (data === undefined) return undefined;
      const detail = objectIn(data, 'service');
      const clusterMap = isObject(detail.clusterMap) ? Object.entries(detail.clusterMap) : [];
      const instances = [];
      for (const [clusterName] of clusterMap) {
        const asked = { ...named(service), clusterName, pageNo: 1, pageSize: PAGE };
        const hosts = await orAbsent(api.data('GET', '/v3/admin/ns/instance/list', asked), isUnknown);
        instances.push(...(Array.isArray(hosts) ? hosts : []).map((host) => instanceIn(objectIn(host, 'instance'))));
      }
      const said: ServiceSaid = {
        ephemeral: flagIn(detail, 'ephemeral', true),
        protectThreshold: numberIn(detail, 'protectThreshold', 0),
        metadata: metadataIn(detail),
        selector: selectorIn(detail),
        clusters: clustersIn(
          clusterMap.map(([cluster, json]) => [
            cluster,
            clusterIn(objectIn(json, 'cluster'), 'healthyCheckPort', 'useInstancePortForCheck'),
          ]),
        ),
      };
      return { said: saysNothing(said) && instances.length > 0 ? undefined : said, instances };
    },
    edits: async () => [],
    async texts(namespace: string) {
      const items = await allPages(async (pageNo) => {
        const all = { dataId: '', groupName: '', search: 'accurate', namespaceId: namespace, pageNo, pageSize: PAGE };
        return pageIn(await api.data('GET', '/v3/admin/cs/config/list', all));
      });
      return items.map((item) => ({ group: textIn(item, 'groupName'), dataId: textIn(item, 'dataId') }));
    },
    async text(namespace: string, { group, dataId }: Pick<TextLine, 'group' | 'dataId'>): Promise<TextLine | undefined> {
      const asked = { namespaceId: namespace, groupName: group, dataId };
      const data = await orAbsent(api.data('GET', '/v3/admin/cs/config', asked), ({ status }) => status === 404);
      if (data === undefined || data === null) return undefined;
      const json = objectIn(data, 'text');
      const key = textIn(json, 'encryptedDataKey');
      const [type, content] = [textIn(json, 'type') || 'text', textIn(json, 'content')];
      return { kind: 'text', namespace, group, dataId, type, content, ...(key !== '' && { encryptedDataKey: key }) };
    },
    switches: async () => [],
  };
}

function writing(api: Api): Omit<Peer, keyof ReturnType<typeof reading> | 'name' | 'isBeatbridge'> {
  return {
    async putNamespace({ id, name, description }, isThere) {
      const said = { namespaceId: id, namespaceName: name, namespaceDesc: description };
      await api.data(isThere ? 'PUT' : 'POST', '/v3/admin/core/namespace', said);
    },
    async putService(service, said, isThere) {
      await api.data(isThere ? 'PUT' : 'POST', '/v3/admin/ns/service', { ...named(service), ...serviceForm(said) });
    },
    async putCluster(service, cluster, said) {
      await api.data('PUT', '/v3/admin/ns/cluster', { ...named(service), clusterName: cluster, ...clusterForm(said) });
    },
    async putInstance(service, said) {
      await api.data('POST', '/v3/admin/ns/instance', { ...named(service), ...instanceForm(said) });
    },
    putEdit: () => unknownThere('edits'),
    endEdit: () => unknownThere('edits'),
    async putText({ namespace, group, dataId, type, content, encryptedDataKey }) {
      const said = { namespaceId: namespace, groupName: group, dataId, type, content, encryptedDataKey };
      if ((await api.data('POST', '/v3/admin/cs/config', said)) !== true) throw new RefusedError(200, 'it was not written');
    },
    putSwitch: () => unknownThere('these switches'),
  };
}

function unknownThere(what: string): Promise<never> {
  return Promise.reject(new RefusedError(0, `a Nacos knows no ${what}`));
}

/** How 2.x and 3.x name a service. */
export function named({ namespace, group, name }: ServiceName) {
  return { namespaceId: namespace, groupName: group, serviceName: name };
}

/** How versions before name it. */
export function namedGrouped(service: ServiceName) {
  return { namespaceId: service.namespace, serviceName: groupedName(service) };
}

export function serviceForm({ ephemeral, protectThreshold, metadata, selector }: ServiceSaid) {
  return { ephemeral, protectThreshold, metadata: JSON.stringify(metadata), selector: JSON.stringify(selector) };
}

export function clusterForm({ healthChecker, checkPort, useInstancePort, metadata }: ServiceSaid['clusters'][string]) {
  return {
    healthChecker: JSON.stringify(healthChecker),
    checkPort,
    useInstancePort4Check: useInstancePort,
    metadata: JSON.stringify(metadata),
  };
}

export function instanceForm({
  ip,
  port,
  cluster,
  ephemeral,
  weight,
  enabled,
  healthy,
  metadata,
}: FoundService['instances'][number]) {
  return { ip, port, clusterName: cluster, ephemeral, weight, enabled, healthy, metadata: JSON.stringify(metadata) };
}

/** Namespaces as all versions list them, without the one that is always there. */
export function namespacesIn(list: unknown): readonly NamespaceLine[] {
  const all = Array.isArray(list) ? list.map((item) => objectIn(item, 'namespace')) : [];
  return all.flatMap((item): NamespaceLine[] => {
    const id = textIn(item, 'namespace');
    if (id === '' || numberIn(item, 'type', 2) === 0) return [];
    return [{ kind: 'namespace', id, name: textIn(item, 'namespaceShowName'), description: textIn(item, 'namespaceDesc') }];
  });
}

/** 3.x answers 400 for a service that it does not know, and says so by a code. */
function isUnknown({ status, message }: RefusedError): boolean {
  return status === 404 || (status === 400 && /not found/.test(message));
}
