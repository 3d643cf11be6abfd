import type { EditRecord } from '../registry/records.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { KnownService } from './catalog.ts';
import type { AnySubscriber, Publication, SubscriberLine } from './clients.ts';
import type { Connection } from './grpc/connection.ts';
import type { Many } from './many.ts';
import type { Namespace } from './namespaces.ts';
import type { Roll } from './roll.ts';
import { HOME, type Page, pageOf } from './rules.ts';
import { clusterOf, type NacosSettings } from './settings.ts';
import type { SwitchValues } from './switches.ts';
import { catalogInstance, clusterNames, namespaceView, serviceViewV2 } from './views.ts';

/** State -> the JSON that operators of 3.x read. What stands there as null is null here: Nacos writes it out. */

/** One page of a list; `count` is of all there are. */
export function pageView(items: readonly unknown[] | Many, count: number, { pageNo, pageSize }: Page) {
  return { totalCount: count, pageNumber: pageNo, pagesAvailable: Math.ceil(count / pageSize), pageItems: items };
}

/** The page of a list that is there as a whole. */
export function pageOfView(items: readonly unknown[], page: Page) {
  return pageView(pageOf(items, page.pageNo, page.pageSize), items.length, page);
}

/** `GET /service`. */
export function serviceDetail(service: ServiceName, roll: Roll, settings: NacosSettings) {
  const { namespace, clusterMap, ...rest } = serviceViewV2(service, roll, settings);
  const clusters = Object.entries(clusterMap).map(([name, { clusterName, healthChecker, metadata, hosts }]) => [
    name,
    { clusterName, healthChecker, ...checkPorts(settings, name), metadata, hosts },
  ]);
  return { namespaceId: namespace, ...rest, clusterMap: Object.fromEntries(clusters) };
}

/** The same in a list, with its instances in place of what is said of it. */
export function serviceWithHosts(...[service, roll, settings]: KnownService) {
  const clusters = clusterNames(roll, settings).map((name) => {
    const hosts = roll.many([name], (instance) => catalogInstance(service, instance));
    return [name, { clusterName: null, healthChecker: null, ...checkPorts(settings, name), metadata: null, hosts }];
  });
  const { protectThreshold, metadata } = serviceViewV2(service, roll, settings);
  return {
    namespaceId: null,
    serviceName: service.name,
    groupName: service.group,
    clusterMap: Object.fromEntries(clusters),
    metadata,
    protectThreshold,
    selector: null,
    ephemeral: null,
  };
}

function checkPorts(settings: NacosSettings, cluster: string) {
  const { checkPort, useInstancePort } = clusterOf(settings, cluster);
  return { healthyCheckPort: checkPort, useInstancePortForCheck: useInstancePort };
}

/** Whoever is told of a service's changes. */
export function subscriberView({ service, ip, port, agent, app, address }: SubscriberLine) {
  return { ...nameView(service), ip, port, agent, appName: app, address };
}

/** A client that is only known by its address. */
export function addressClientView(clientId: string, lastUpdatedTime: number) {
  return {
    clientId,
    ephemeral: clientId.endsWith('#true'),
    lastUpdatedTime,
    clientType: 'ipPort',
    connectType: null,
    appName: null,
    version: null,
    clientIp: null,
    clientPort: 0,
  };
}

/** A client that is a connection. */
export function connectionClientView(connection: Connection, now: number) {
  const { id, peer, clientVersion } = connection;
  return {
    clientId: id,
    ephemeral: true,
    lastUpdatedTime: now - connection.silentMs,
    clientType: 'connection',
    connectType: 'GRPC',
    appName: appOf(connection),
    version: clientVersion,
    clientIp: peer.ip,
    clientPort: peer.port,
  };
}

/** What a client has registered. */
export function publishedView({ service, ip, port, cluster }: Publication) {
  return { ...nameView(service), publisherInfo: { clientId: null, ip, port, clusterName: cluster }, subscriberInfo: null };
}

/** What a client has subscribed to. */
export function subscribedView({ service, app, agent, ip, port }: AnySubscriber) {
  const subscriberInfo = { clientId: null, appName: app, agent, address: `${ip}:${port}` };
  return { ...nameView(service), publisherInfo: null, subscriberInfo };
}

/** A connection as those who balance servers look at it. */
export function connectionView(connection: Connection, now: number) {
  const { id, peer, clientVersion, labels, since } = connection;
  const isOfServer = labels.source === 'cluster';
  return {
    traced: false,
    abilityTable: {},
    metaInfo: {
      connectType: 'GRPC',
      clientIp: peer.ip,
      remoteIp: peer.ip,
      remotePort: peer.port,
      version: clientVersion,
      connectionId: id,
      createTime: since,
      lastActiveTime: now - connection.silentMs,
      appName: appOf(connection),
      namespaceId: HOME.namespace,
      labels,
      sdkSource: !isOfServer,
      clusterSource: isOfServer,
    },
  };
}

/** An operator's edit, and for how long its instance has been away: null while it is here. */
export function editView({ service, ip, port, edit, awayMs }: EditRecord) {
  return { ...nameView(service), ip, port, edit, awayMs };
}

/** A namespace as 3.x lists it: the one that is always there by its name, and one that was made as of type 1. */
export function namespaceViewV3(namespace: Namespace, configCount: number) {
  const { id, type } = namespace;
  return { ...namespaceView(namespace), namespace: id || HOME.namespace, configCount, type: type === 0 ? 0 : 1 };
}

/** The switches as 3.x names them. */
export function switchesView(values: SwitchValues) {
  const { pushGoVersion, pushJavaVersion, pushPythonVersion, pushCVersion, pushCSharpVersion, ...rest } = values;
  return {
    ...rest,
    pushVersionOfGo: pushGoVersion,
    pushVersionOfJava: pushJavaVersion,
    pushVersionOfPython: pushPythonVersion,
    pushVersionOfC: pushCVersion,
    pushVersionOfCsharp: pushCSharpVersion,
  };
}

function nameView({ namespace, group, name }: ServiceName) {
  return { namespaceId: namespace, groupName: group, serviceName: name };
}

function appOf({ labels }: Connection): string {
  return labels.AppName ?? 'unknown';
}
