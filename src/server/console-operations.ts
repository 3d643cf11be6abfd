import type { Operations } from '../console/sources.ts';
import { limitOf, REASONS, RequestError } from '../nacos/errors.ts';
import type { Nacos } from '../nacos/nacos.ts';
import { checkedNamespace, checkedService, checkedWeight } from '../nacos/rules.ts';
import { DEFAULT_NACOS_SETTINGS, nacosSettingsOf } from '../nacos/settings.ts';
import { byOf } from '../operate/drain-paths.ts';
import { mayLast, reasonFault, spelledAs } from '../operate/drain-query.ts';
import { Drains } from '../operate/drains.ts';
import { differencesBetween } from '../registry/differences.ts';
import type { Address, Edit } from '../registry/instance.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { House } from './house.ts';
import type { Rooms } from './rooms.ts';

/** What operators do from the console: the commands that their calls give. Another meeting point of siblings. */
export function operationsFor(house: House, { nacos, keeping }: Pick<Rooms, 'nacos' | 'keeping'>): Operations {
  const { registry, scheduler, machineTime: wallClock, refused } = house;
  const { naming } = nacos.rooms;
  const drains = new Drains({ registry, scheduler, wallClock });
  return {
    amend: (service, address, edit, by) => naming.amend(service, address, weighed(edit), by),
    replaceEdit: (service, address, edit, by) => naming.replaceEdit(service, address, weighed(edit), by),
    unedit: (service, address, by) => naming.unedit(service, address, by),
    deregister: (service, address, by) => naming.deregister(service, address, by),
    drain: async (at, said, { by, permit }) => (await drains.drain({ ...targetOf(at), ...said }, by, permit)).count,
    resume: async (at, { by, permit }) => (await drains.resume(targetOf(at), by, permit)).count,
    ...serviceOperations(house, nacos),
    reasonFault,
    mayLast,
    byOf,
    refusalOf(error) {
      if (!(error instanceof RequestError)) return undefined;
      const limit = limitOf(error);
      if (limit !== undefined) refused.count(limit);
      return { status: REASONS[error.reason].http, reason: error.message };
    },
    durability: keeping,
  };
}

function serviceOperations({ registry }: House, nacos: Nacos): Pick<Operations, 'createService' | 'dropService' | 'isAsCreated'> {
  const { catalog } = nacos.rooms;
  const { clusters: _, ...plain } = DEFAULT_NACOS_SETTINGS;
  return {
    createService: (service, by) => catalog.create(checked(service), plain, by),
    dropService: (service, by) => catalog.drop(service, by),
    isAsCreated(service) {
      const { ephemeral, ...settings } = nacosSettingsOf(registry, service);
      return ephemeral === false && differencesBetween(settings, DEFAULT_NACOS_SETTINGS).length === 0;
    },
  };
}

/** A name that is to be read the same by whoever reads it. */
function checked({ namespace, group, name }: ServiceName): ServiceName {
  const service = checkedService(name, checkedNamespace(namespace), group);
  if (service.group === group && service.name === name) return service;
  throw new RequestError(
    'invalid',
    `the group and the name of a service have no @@ in them, got ${JSON.stringify(name.slice(0, 100))}`,
  );
}

function weighed(edit: Edit): Edit {
  return edit.weight === undefined ? edit : { ...edit, weight: checkedWeight(String(edit.weight)) };
}

function targetOf({ service, ip, port }: Address & { readonly service: ServiceName | undefined }) {
  return { service, namespace: undefined, address: `${ip}:${port}`, port, isRight: spelledAs(ip) };
}
