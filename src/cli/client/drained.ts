import type { Output } from './output.ts';

/** What a server answers of instances that are drained or resumed, as far as it says it. */
export interface Drained {
  readonly address: string;
  readonly until: string;
  readonly reason: string;
  readonly by: string;
  readonly count: number;
  readonly instances: readonly Place[];
}

interface Place {
  readonly namespace: string;
  readonly service: string;
  readonly address: string;
}

/** Lenient: another version may say more, or less. */
export function drainedIn(said: unknown): Drained {
  const fields = fieldsOf(said);
  const by = fieldsOf(fields.by);
  const instances = Array.isArray(fields.instances) ? fields.instances.map(placeIn) : [];
  return {
    address: textOf(fields.address) || placeIn(said).address,
    until: textOf(fields.until),
    reason: textOf(fields.reason),
    by: textOf(by.user) || textOf(by.peer),
    count: typeof fields.count === 'number' ? fields.count : instances.length,
    instances,
  };
}

/** One of a list. */
export function placeIn(said: unknown): Place {
  const { namespace, group, service, ip, port } = fieldsOf(said);
  const host = textOf(ip);
  const name = textOf(group) === DEFAULT_GROUP ? textOf(service) : `${textOf(group)}@@${textOf(service)}`;
  return { namespace: textOf(namespace), service: name, address: `${host.includes(':') ? `[${host}]` : host}:${textOf(port)}` };
}

const DEFAULT_GROUP = 'DEFAULT_GROUP';

/** Which services were meant, as an address may be in many. */
export function tellServices(output: Output, { instances, count }: Drained): void {
  output.table(
    [{ name: 'NAMESPACE' }, { name: 'SERVICE' }],
    instances.map(({ namespace, service }) => [namespace, service]),
  );
  if (count > instances.length) output.line(`and ${count - instances.length} more`);
}

export function countOf({ count }: Drained): string {
  return count === 1 ? '1 instance' : `${count} instances`;
}

function fieldsOf(said: unknown): Readonly<Record<string, unknown>> {
  // Each field is looked at before it is used.
  return typeof said === 'object' && said !== null ? (said as Readonly<Record<string, unknown>>) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
