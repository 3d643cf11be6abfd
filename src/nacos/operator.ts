import { type Call, type NacosRoom, OK } from './instances.ts';
import { optional, readFlag, readService, required } from './params.ts';

/** Calls about the server itself: is it up, what are its switches, who are its peers. */
export function operatorCalls({ registry, switches, pusher }: NacosRoom) {
  return {
    /** Clients look at `status` only. */
    metrics: () => ({ status: status(), ...counts() }),
    metricsV2: ({ params }: Call) => {
      // Only the status, unless more is asked for.
      const full = optional(params, 'onlyStatus') !== undefined && !readFlag(params, 'onlyStatus');
      return { status: status(), ...(full && counts()) };
    },
    switches: () => switches.values,
    setSwitch: ({ params }: Call) => {
      switches.set(required(params, 'entry'), required(params, 'value'));
      return OK;
    },
    servers: ({ local }: Call) => ({ servers: [member(local)] }),
    /** Log levels are an option of the start. Accepted, as scripts set them on the way. */
    setLog: () => OK,
    pushState: () => {
      const { sent, acked, failed, waiting } = pusher.counts;
      return { total: sent, succeed: acked, failed, waiting };
    },
    /** There is one server, and it is responsible for everything. */
    responsibleServer: ({ params, local }: Call) => {
      readService(params);
      return { responsibleServer: local };
    },
    distroStatus: ({ local }: Call) => ({ healthyList: [local] }),
    healthServer: ({ local }: Call) => {
      const port = local.slice(local.lastIndexOf(':') + 1);
      return { msg: `Hello! I am Nacos-Naming and healthy! total services: ${registry.serviceCount}, local port:${port}` };
    },
    serverList: ({ local }: Call) => `${local}\r\n`,
    /** Services by namespace, as the clients before 0.8 ask. */
    allDomNames: () => {
      const doms: Record<string, string[]> = {};
      for (const namespace of registry.namespaces()) doms[namespace] = [...registry.services(namespace)].map(({ name }) => name);
      return { count: registry.serviceCount, doms };
    },
  };

  function status() {
    return switches.values.overriddenServerStatus ?? 'UP';
  }

  function counts() {
    const { serviceCount, instanceCount } = registry;
    return { serviceCount, instanceCount, responsibleServiceCount: serviceCount, responsibleInstanceCount: instanceCount };
  }

  function member(local: string) {
    const at = local.lastIndexOf(':');
    return {
      ip: local.slice(0, at),
      port: Number(local.slice(at + 1)),
      state: 'UP',
      extendInfo: { adWeight: '0', site: 'unknow', weight: '1' },
      address: local,
      failAccessCnt: 0,
    };
  }
}
