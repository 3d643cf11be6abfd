import { RequestError } from '../errors.ts';
import { optional, readFlag, readService, required } from './params.ts';
import { type Asked, type HttpRooms, OK } from './route.ts';

/** Calls about the server itself: is it up, what are its switches, who are its peers. */
export function operatorCalls({ registry, switches, pusher }: HttpRooms) {
  return {
    /** Clients look at `status` only. */
    metrics: () => ({ status: status(), ...counts() }),
    metricsV2: ({ params }: Asked) => {
      // Only the status, unless more is asked for.
      const full = optional(params, 'onlyStatus') !== undefined && !readFlag(params, 'onlyStatus');
      return { status: status(), ...(full && counts()) };
    },
    switches: () => switches.values,
    setSwitch: ({ params }: Asked) => {
      switches.set(required(params, 'entry'), required(params, 'value'));
      return OK;
    },
    servers: ({ local }: Asked) => ({ servers: [member(local)] }),
    /** Log levels are an option of the start. Accepted, as scripts set them on the way. */
    setLog: () => OK,
    pushState: () => {
      const { sent, acked, failed, waiting } = pusher.counts;
      return { total: sent, succeed: acked, failed, waiting };
    },
    /** There is one server, and it is responsible for everything. */
    responsibleServer: ({ params, local }: Asked) => {
      readService(params);
      return { responsibleServer: local };
    },
    /** The same for a client. */
    responsibleServerOf: ({ params, local }: Asked) => {
      for (const name of ['ip', 'port'])
        if (optional(params, name) === undefined) throw new RequestError('missing-param', `Parameter '${name}' is missing`);
      return { responsibleServer: local };
    },
    distroStatus: ({ local }: Asked) => ({ healthyList: [local] }),
    healthServer: ({ local }: Asked) => ({
      msg: `Hello! I am Nacos-Naming and healthy! total services: ${registry.serviceCount}, local port:${portOf(local)}`,
    }),
    serverList: ({ local }: Asked) => `${local}\r\n`,
    /** Services by namespace, as the clients before 0.8 ask. */
    allDomNames: () => {
      const doms: [string, string[]][] = [];
      for (const namespace of registry.namespaces())
        doms.push([namespace, [...registry.services(namespace)].map(({ name }) => name)]);
      return { count: registry.serviceCount, doms: Object.fromEntries(doms) };
    },
  };

  function status() {
    return switches.values.overriddenServerStatus ?? 'UP';
  }

  function counts() {
    const { serviceCount, instanceCount } = registry;
    return { serviceCount, instanceCount, responsibleServiceCount: serviceCount, responsibleInstanceCount: instanceCount };
  }
}

/** The port of `IP:PORT`, as text. */
export function portOf(local: string): string {
  return local.slice(local.lastIndexOf(':') + 1);
}

function member(local: string) {
  return {
    ip: local.slice(0, local.lastIndexOf(':')),
    port: Number(portOf(local)),
    state: 'UP',
    extendInfo: { adWeight: '0', site: 'unknow', weight: '1' },
    address: local,
    failAccessCnt: 0,
  };
}
