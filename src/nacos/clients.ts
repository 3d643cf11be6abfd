import type { Instance } from '../registry/instance.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { Call, NacosRoom } from './instances.ts';
import { optional, type Params, readEphemeral, readService, required } from './params.ts';
import { RequestError, shown } from './request-error.ts';

/**
 * v2's calls about clients. A client of 1.x is what stands behind one address: `IP:PORT#true` for whoever registers ephemeral
 * instances there or listens for pushes, `IP:PORT#false` for persistent ones. Nobody keeps a list of them; it is read off the
 * registry and the subscriptions, all of them, as operators ask rarely.
 */
export function clientCalls({ registry, pusher, wallClock }: NacosRoom) {
  return {
    list: () => [...new Set([...published(), ...subscribed()].map(({ clientId }) => clientId))],

    get: ({ params }: Call) => {
      const wanted = required(params, 'clientId');
      const found = [...published(), ...subscribed()].find(({ clientId }) => clientId === wanted) ?? unknownClient(wanted);
      return {
        clientId: wanted,
        ephemeral: wanted.endsWith('#true'),
        lastUpdatedTime: wallClock() - found.silentMs,
        clientType: 'ipPort',
        clientIp: found.ip,
        clientPort: String(found.port),
      };
    },

    publishedServices: ({ params }: Call) =>
      ofClient(params, [...published()], [...subscribed()]).map(({ service, ip, port, cluster }) => ({
        ...nameView(service),
        registeredInstance: { ip, port, cluster },
      })),

    subscribedServices: ({ params }: Call) =>
      ofClient(params, [...subscribed()], [...published()]).map(({ service, ip, port, app, agent }) => ({
        ...nameView(service),
        subscriberInfo: { app, agent, addr: `${ip}:${port}` },
      })),

    publishers: ({ params }: Call) => {
      const service = readService(params);
      const ephemeral = readEphemeral(params) ?? true;
      const instances = (registry.instances(service) ?? []).filter((instance) => instance.ephemeral === ephemeral);
      return atAddress(params, instances).map(({ ip, port }) => ({ clientId: clientIdOf(ip, port, ephemeral), ip, port }));
    },

    subscribers: ({ params }: Call) =>
      atAddress(params, pusher.subscribers(readService(params))).map(({ ip, port }) => ({
        clientId: clientIdOf(ip, port, true),
        ip,
        port,
      })),
  };

  function* published() {
    for (const namespace of registry.namespaces()) {
      for (const service of registry.services(namespace)) {
        for (const instance of registry.instances(service) ?? []) {
          yield { clientId: clientIdOf(instance.ip, instance.port, instance.ephemeral), service, ...onlyWhere(instance) };
        }
      }
    }
  }

  function* subscribed() {
    for (const { service, ip, port, app, agent } of pusher.all()) {
      yield { clientId: clientIdOf(ip, port, true), service, ip, port, app, agent, silentMs: 0 };
    }
  }
}

interface OfClient {
  readonly clientId: string;
}

/** Those of the client that is asked about; it must be known, if only by something else. */
function ofClient<T extends OfClient>(params: Params, items: readonly T[], others: readonly OfClient[]): readonly T[] {
  const wanted = required(params, 'clientId');
  const found = items.filter(({ clientId }) => clientId === wanted);
  return found.length > 0 || others.some(({ clientId }) => clientId === wanted) ? found : unknownClient(wanted);
}

function unknownClient(clientId: string): never {
  throw new RequestError('not-found', `clientId [ ${shown(clientId)} ] not exist`);
}

function atAddress<T extends { readonly ip: string; readonly port: number }>(params: Params, items: readonly T[]): readonly T[] {
  const ip = optional(params, 'ip');
  const port = optional(params, 'port');
  return items.filter((item) => (ip === undefined || item.ip === ip) && (port === undefined || String(item.port) === port));
}

function clientIdOf(ip: string, port: number, ephemeral: boolean): string {
  return `${ip}:${port}#${ephemeral}`;
}

function onlyWhere({ ip, port, cluster, silentMs }: Instance) {
  return { ip, port, cluster, silentMs };
}

function nameView({ namespace, group, name }: ServiceName) {
  return { namespace, group, serviceName: name };
}
