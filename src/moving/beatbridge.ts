import { changedEntries } from '../nacos/switches.ts';
import type { ServiceName } from '../registry/service-name.ts';
import {
  allPages,
  clusterIn,
  editIn,
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
import type { RefusedError } from './errors.ts';
import { type EditLine, type InstanceSaid, type ServiceSaid, type SwitchLine, sorted, type TextName } from './lines.ts';
import { namespaceWriter } from './nacos-1-2.ts';
import { nacos3, named } from './nacos-3.ts';
import { type FoundService, PAGE, type Peer } from './peer.ts';

/** A beatbridge: as a Nacos 3, and by calls of its own whatever those do not tell. */
export function beatbridge(api: Api): Peer {
  return { ...nacos3(api, 'beatbridge'), isBeatbridge: true, ...reading(api), ...writing(api) };
}

function reading(api: Api) {
  return {
    async usedNamespaces(): Promise<readonly string[]> {
      const list = await api.data('GET', '/v3/admin/core/namespace/used');
      return Array.isArray(list) ? list.map(String) : [];
    },
    async service(service: ServiceName): Promise<FoundService | undefined> {
      const instances: InstanceSaid[] = [];
      for (let pageNo = 1; ; pageNo++) {
        const asked = { ...named(service), pageNo, pageSize: PAGE };
        const data = await orAbsent(api.data('GET', '/v3/admin/ns/service/records', asked), isUnknown);
        if (data === undefined) return undefined;
        const json = objectIn(data, 'service');
        const { items, count } = pageIn(json.instances);
        instances.push(...items.map(instanceIn));
        if (items.length > 0 && instances.length < count) continue;
        return { said: isObject(json.said) ? saidIn(json.said) : undefined, instances };
      }
    },
    async edits(namespace: string | undefined): Promise<readonly EditLine[]> {
      const items = await allPages(async (pageNo) => {
        const asked = { namespaceId: namespace, pageNo, pageSize: PAGE };
        return pageIn(await api.data('GET', '/v3/admin/ns/overlay', asked));
      });
      return items.map((item) => ({
        kind: 'edit',
        namespace: textIn(item, 'namespaceId'),
        group: textIn(item, 'groupName'),
        service: textIn(item, 'serviceName'),
        ip: textIn(item, 'ip'),
        port: numberIn(item, 'port', 0),
        edit: editIn(objectIn(item.edit, 'edit')),
      }));
    },
    async texts(namespace: string): Promise<readonly TextName[]> {
      const list = await api.data('GET', '/v3/admin/cs/history/configs', { namespaceId: namespace });
      const items = Array.isArray(list) ? list.map((item) => objectIn(item, 'text')) : [];
      return items.map((item) => ({ group: textIn(item, 'groupName'), dataId: textIn(item, 'dataId') }));
    },
    async switches(): Promise<readonly SwitchLine[]> {
      const values = objectIn(await api.call('GET', '/v1/ns/operator/switches'), 'switches');
      return changedEntries(values).map((changed) => ({ kind: 'switch', ...changed }));
    },
  };
}

function writing(api: Api): Pick<Peer, 'putNamespace' | 'putEdit' | 'endEdit' | 'putSwitch'> {
  return {
    /** Names that 3.x takes for wrong may have been given by the call of version 1. */
    putNamespace: namespaceWriter(api),
    async putEdit({ namespace, group, service, ip, port, edit }) {
      const place = { ...named({ namespace, group, name: service }), ip, port };
      await api.data('PUT', '/v3/admin/ns/overlay', { ...place, edit: JSON.stringify(edit) });
    },
    async endEdit(service, { ip, port }) {
      const place = { ...named(service), ip, port };
      await orAbsent(api.data('DELETE', '/v3/admin/ns/overlay', place), ({ status }) => status === 404);
    },
    async putSwitch({ entry, value }) {
      await api.data('PUT', '/v3/admin/ns/ops/switches', { entry, value });
    },
  };
}

/** What was said of a service, as in its record. */
export function saidIn(json: Readonly<Record<string, unknown>>): ServiceSaid {
  const clusters = isObject(json.clusters) ? Object.entries(json.clusters) : [];
  return {
    ...(json.ephemeral !== undefined && { ephemeral: flagIn(json, 'ephemeral', true) }),
    protectThreshold: numberIn(json, 'protectThreshold', 0),
    metadata: metadataIn(json),
    selector: selectorIn(json),
    clusters: sorted(
      Object.fromEntries(
        clusters.map(([name, cluster]) => [name, clusterIn(objectIn(cluster, 'cluster'), 'checkPort', 'useInstancePort')]),
      ),
    ),
  };
}

function isUnknown({ message }: RefusedError): boolean {
  return message.includes('service not found');
}
