import { groupedName, type ServiceName } from '../registry/service-name.ts';
import type { Switches } from './switches.ts';

/** What operators say of active checks by Nacos's switches, and what they are told of them. The checks are made elsewhere. */

/** Whether, how often and how strictly instances are checked. */
export interface ProbeRules {
  /** Whether instances of the service are checked at all. */
  isOn(service: ServiceName): boolean;
  /** How often those of a kind are checked, in milliseconds: between `min` and `max`; `factor` is the weight of the past. */
  paceOf(type: 'tcp' | 'http' | 'mysql' | 'grpc'): { readonly min: number; readonly max: number; readonly factor: number };
  /** After how many passes in a row an instance is healthy again, and after how many failures it no longer is. */
  readonly times: number;
  /** Calls `listener` when any of it may be another now. */
  onChange(listener: () => void): void;
}

/** How long checks take. */
export interface CheckTimes {
  of(service: ServiceName, cluster: string): Times;
}

/** In milliseconds; 0 where nothing has been checked. */
export interface Times {
  readonly best: number;
  readonly worst: number;
  readonly normalized: number;
}

/** As the switches have it. */
export function probeRules(switches: Switches): ProbeRules {
  return {
    isOn(service) {
      const { healthCheckEnabled, healthCheckWhiteList } = switches.values;
      return healthCheckEnabled || healthCheckWhiteList.includes(groupedName(service));
    },
    paceOf(type) {
      const { tcpHealthParams, httpHealthParams, mysqlHealthParams } = switches.values;
      // Nacos has no checks over gRPC.
      return { tcp: tcpHealthParams, http: httpHealthParams, mysql: mysqlHealthParams, grpc: httpHealthParams }[type];
    },
    get times() {
      return switches.values.checkTimes;
    },
    onChange: (listener) => switches.onChange(listener),
  };
}
