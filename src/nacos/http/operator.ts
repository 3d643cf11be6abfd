import { cpus, freemem, loadavg, totalmem } from 'node:os';
import { covered } from '../gate.ts';
import { Long, Many } from '../many.ts';
import { after, each, type Paused } from '../turns.ts';
import { optional, type Params, readFlag, readService, required } from './params.ts';
import { type Asked, type HttpRooms, OK } from './route.ts';

/** Calls about the server itself: is it up, what are its switches, who are its peers. */
export function operatorCalls({ registry, switches, pusher, clients, walks, gate }: HttpRooms) {
  const machine = machineLoad();
  return {
    /** Clients look at `status` only. */
    metrics: (asked: Asked) => metrics(asked, counts),
    metricsV2: (asked: Asked) => metrics(asked, () => ({})),
    switches: () => switches.values,
    setSwitch: ({ params, by }: Asked) => {
      switches.set(required(params, 'entry'), required(params, 'value'), by);
      return OK;
    },
    servers: ({ local }: Asked) => ({ servers: [member(local)] }),
    /** Log levels are an option of the start. Accepted, as scripts set them on the way. */
    setLog: () => OK,
    /** What became of the datagrams. Nacos counts them anew when `reset` says so: a GET changes nothing here. */
    pushState() {
      const { sent, acked, failed, waiting } = pusher.counts;
      return { total: sent, succeed: acked, failed, waiting, ratio: sent === 0 ? 0 : acked / sent, reset: false };
    },
    /** As the servers before 1.4 answered, for scripts that look for the leader. */
    leader: ({ local }: Asked) => ({ leader: JSON.stringify({ ip: local, voteFor: local, term: 1, state: 'LEADER' }) }),
    /** There is one server, and it is responsible for everything. */
    responsibleServer: ({ params, local }: Asked) => {
      readService(params);
      return { responsibleServer: local };
    },
    distroStatus: ({ local }: Asked) => ({ healthyList: [local] }),
    healthServer: (asked: Asked) =>
      ifReader(gate, asked, { msg: HELLO }, () => ({
        msg: `${HELLO} total services: ${registry.serviceCount}, local port:${portOf(asked.local)}`,
      })),
    serverList: ({ local }: Asked) => `${local}\r\n`,
    /** Services by namespace, as the clients before 0.8 ask. */
    allDomNames: ({ params, caller }: Asked) => walks.run(domNames(registry, params), caller),
  };

  function status() {
    return switches.values.overriddenServerStatus ?? 'UP';
  }

  /** `unasked`: what is told beside the status when the request does not say. Counting clients takes a walk over all instances. */
  function metrics(asked: Asked, unasked: () => object): object | Promise<object> {
    const said = optional(asked.params, 'onlyStatus');
    const alone = { status: status() };
    if (said !== undefined && readFlag(asked.params, 'onlyStatus')) return alone;
    return ifReader(gate, asked, alone, () => {
      if (said === undefined) return { ...alone, ...unasked() };
      const counted = walks.run(clients.counts(), asked.caller);
      return after(counted, (ofClients) => ({ ...alone, ...counts(), ...ofClients, ...machine() }));
    });
  }

  function counts() {
    const { serviceCount, instanceCount } = registry;
    return { serviceCount, instanceCount, responsibleServiceCount: serviceCount, responsibleInstanceCount: instanceCount };
  }
}

const HELLO = 'Hello! I am Nacos-Naming and healthy!';

function* domNames(registry: HttpRooms['registry'], { permit }: Params): Paused<object> {
  const doms: [string, Many][] = [];
  let count = 0;
  for (const namespace of [...registry.namespaces()]) {
    const names: string[] = [];
    yield* each(registry.services(namespace), (service) => {
      if (covered(permit, 'naming', service)) names.push(service.name);
    });
    count += names.length;
    if (names.length > 0) doms.push([namespace, new Many(names)]);
  }
  return new Long({ count, doms: Object.fromEntries(doms) });
}

/**
 * What is told to whoever may read all that there is, or where that is said anything at all; everybody else is told less, as it is asked
 * by those who cannot log in.
 */
export function ifReader(
  gate: HttpRooms['gate'],
  { params, request }: Pick<Asked, 'params' | 'request'>,
  less: object,
  more: () => object | Promise<object>,
  ofAnything = false,
): object | Promise<object> {
  const facts = { ...QUIET, isScoped: ofAnything, params: params.pairs() };
  const may = gate?.wouldAdmit('read', request, facts) ?? true;
  return may instanceof Promise ? may.then((later) => (later ? more() : less)) : may ? more() : less;
}

/** Nobody hears of what is asked so, but of wrong logins. */
const QUIET = { ownParams: false, isScoped: false, isChange: false, example: '' };

/** How busy the machine is: the processors since this was asked last, the rest now. */
function machineLoad(): () => { readonly cpu: number; readonly load: number; readonly mem: number } {
  let last = { busy: 0, all: 0 };
  return () => {
    const times = cpus().map((processor) => processor.times);
    const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
    const busy = all - times.reduce((sum, { idle }) => sum + idle, 0);
    const cpu = all > last.all ? (busy - last.busy) / (all - last.all) : 0;
    last = { busy, all };
    return { cpu, load: loadavg()[0] ?? 0, mem: 1 - freemem() / totalmem() };
  };
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
