import type { ServiceName } from '../registry/service-name.ts';
import {
  allPages,
  clusterIn,
  clustersIn,
  instanceIn,
  type Json,
  listIn,
  metadataIn,
  numberIn,
  objectIn,
  orAbsent,
  selectorIn,
  textIn,
} from './answers.ts';
import type { Api } from './api.ts';
import { RefusedError } from './errors.ts';
import { type InstanceSaid, type NamespaceLine, type ServiceSaid, saysNothing, type TextLine, type TextName } from './lines.ts';
import { clusterForm, instanceForm, named, namedGrouped, namespacesIn, serviceForm } from './nacos-3.ts';
import { type FoundService, PAGE, type Peer } from './peer.ts';

/** A Nacos 1 or 2 by its console's calls, which both have; services are made by those of version 2 where there are any. */
export function nacos12(api: Api, version: string): Peer {
  return { name: `Nacos ${version}`, isBeatbridge: false, ...reading(api), ...writing(api, makesBothKinds(version)) };
}

/** Calls of version 2 came with 2.2. Those before make every service one of instances that live by beats. */
function makesBothKinds(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 2);
}

/** As 1.x names the default namespace in its configuration service. */
function tenant(namespace: string): string {
  return namespace === 'public' ? '' : namespace;
}

/** A page has its texts in it, each of up to 10 MiB. */
const TEXTS_PAGE = 100;

function reading(api: Api) {
  return {
    async namespaces(): Promise<readonly NamespaceLine[]> {
      const list = await api.data('GET', '/v1/console/namespaces');
      const described = [];
      for (const item of Array.isArray(list) ? list : []) described.push(await withDescription(api, objectIn(item, 'namespace')));
      return namespacesIn(described);
    },
    usedNamespaces: async () => [],
    async services(namespace: string): Promise<readonly ServiceName[]> {
      const items = await allPages(async (pageNo) => {
        const asked = { namespaceId: namespace, pageNo, pageSize: PAGE };
        const json = objectIn(await api.call('GET', '/v1/ns/catalog/services', asked), 'services');
        return { items: listIn(json, 'serviceList'), count: numberIn(json, 'count', 0) };
      });
      return items.map((item) => ({ namespace, group: textIn(item, 'groupName'), name: textIn(item, 'name') }));
    },
    async service(service: ServiceName): Promise<FoundService | undefined> {
      const found = await orAbsent(api.call('GET', '/v1/ns/catalog/service', namedGrouped(service)), isUnknown);
      if (found === undefined) return undefined;
      const json = objectIn(found, 'service');
      const detail = objectIn(json.service, 'service');
      const clusters = listIn(json, 'clusters');
      const instances: InstanceSaid[] = [];
      for (const cluster of clusters) instances.push(...(await instancesOf(api, service, textIn(cluster, 'name'))));
      const isEmpty = instances.length === 0;
      const said: ServiceSaid = {
        ...(!isEmpty && { ephemeral: instances.every(({ ephemeral }) => ephemeral) }),
        protectThreshold: numberIn(detail, 'protectThreshold', 0),
        metadata: metadataIn(detail),
        selector: selectorIn(detail),
        clusters: clustersIn(
          clusters.map((cluster) => [textIn(cluster, 'name'), clusterIn(cluster, portNameIn(cluster), 'useIPPort4Check')]),
        ),
      };
      return { said: saysNothing(said) && !isEmpty ? undefined : said, instances };
    },
    edits: async () => [],
    async texts(namespace: string): Promise<readonly TextName[]> {
      const items = await allPages(async (pageNo) => {
        const all = { search: 'accurate', dataId: '', group: '', tenant: tenant(namespace), pageNo, pageSize: TEXTS_PAGE };
        const json = objectIn(await api.call('GET', '/v1/cs/configs', all), 'texts');
        // Kept by name: what they say is read one by one.
        const names = listIn(json, 'pageItems').map(({ group, dataId }) => ({ group, dataId }));
        return { items: names, count: numberIn(json, 'totalCount', 0) };
      });
      return items.map((item) => ({ group: textIn(item, 'group'), dataId: textIn(item, 'dataId') }));
    },
    async text(namespace: string, { group, dataId }: TextName): Promise<TextLine | undefined> {
      const asked = { show: 'all', dataId, group, tenant: tenant(namespace) };
      const found = await orAbsent(api.call('GET', '/v1/cs/configs', asked), ({ status }) => status === 404);
      if (found === undefined || found === '') return undefined;
      const json = objectIn(found, 'text');
      const key = textIn(json, 'encryptedDataKey');
      const [type, content] = [textIn(json, 'type') || 'text', textIn(json, 'content')];
      return { kind: 'text', namespace, group, dataId, type, content, ...(key !== '' && { encryptedDataKey: key }) };
    },
    switches: async () => [],
  };
}

/** 1.x says two, and means the one with the shorter name. */
function portNameIn(cluster: Json): string {
  return cluster.defCkport === undefined ? 'defaultCheckPort' : 'defCkport';
}

/** The list of 1.x leaves it out. */
async function withDescription(api: Api, item: Json): Promise<Json> {
  if (item.namespaceDesc !== undefined || item.namespace === '') return item;
  const asked = { show: 'all', namespaceId: textIn(item, 'namespace') };
  return objectIn(await api.call('GET', '/v1/console/namespaces', asked), 'namespace');
}

async function instancesOf(api: Api, service: ServiceName, cluster: string): Promise<readonly InstanceSaid[]> {
  const items = await allPages(async (pageNo) => {
    const asked = { ...namedGrouped(service), clusterName: cluster, pageNo, pageSize: PAGE };
    const found = await orAbsent(api.call('GET', '/v1/ns/catalog/instances', asked), isUnknown);
    if (found === undefined) return { items: [], count: 0 };
    const json = objectIn(found, 'instances');
    return { items: listIn(json, 'list'), count: numberIn(json, 'count', 0) };
  });
  return items.map(instanceIn);
}

/** Writes namespaces by the call of version 1, which takes every name. */
export function namespaceWriter(api: Api): Peer['putNamespace'] {
  return async ({ id, name, description }, isThere) => {
    const said = isThere
      ? { namespace: id, namespaceShowName: name, namespaceDesc: description }
      : { customNamespaceId: id, namespaceName: name, namespaceDesc: description };
    const written = await api.call(isThere ? 'PUT' : 'POST', '/v1/console/namespaces', said);
    if (written !== true) throw new RefusedError(200, 'it was not written');
  };
}

function writing(api: Api, bothKinds: boolean): Omit<Peer, keyof ReturnType<typeof reading> | 'name' | 'isBeatbridge'> {
  // The naming of 1.4.8 does not read a form: its own client says everything in the query.
  const where = bothKinds ? undefined : 'query';
  return {
    putNamespace: namespaceWriter(api),
    async putService(service, said, isThere) {
      const method = isThere ? 'PUT' : 'POST';
      if (bothKinds) await api.data(method, '/v2/ns/service', { ...named(service), ...serviceForm(said) });
      else await api.call(method, '/v1/ns/service', { ...namedGrouped(service), ...serviceForm(said) }, 'query');
    },
    async putCluster(service, cluster, said) {
      const params = { ...namedGrouped(service), clusterName: cluster, ...clusterForm(said) };
      await api.call('PUT', '/v1/ns/cluster', params, where);
    },
    async putInstance(service, said) {
      await api.call('POST', '/v1/ns/instance', { ...namedGrouped(service), ...instanceForm(said) }, where);
    },
    putEdit: () => Promise.reject(new RefusedError(0, 'a Nacos knows no edits')),
    endEdit: () => Promise.reject(new RefusedError(0, 'a Nacos knows no edits')),
    async putText({ namespace, group, dataId, type, content, encryptedDataKey }) {
      const said = { dataId, group, tenant: tenant(namespace), type, content, encryptedDataKey };
      if ((await api.call('POST', '/v1/cs/configs', said)) !== true) throw new RefusedError(200, 'it was not written');
    },
    putSwitch: () => Promise.reject(new RefusedError(0, 'a Nacos knows no such switches')),
  };
}

/** 1.x answers 500 with a text for a service or a cluster that it does not know, and 2.x 400 or 404. */
function isUnknown({ message }: RefusedError): boolean {
  return /is not found|not found|not exist/.test(message);
}
