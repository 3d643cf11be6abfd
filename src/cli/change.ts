import type { Client, ClientFlags } from './client/connection-flags.ts';
import { CallError, UsageError } from './client/failures.ts';
import { textFrom } from './client/http.ts';
import {
  type Address,
  addressIn,
  addressText,
  instanceOf,
  instancesAt,
  type ServiceParams,
  type Shown,
  serviceIn,
  serviceText,
} from './client/instance-place.ts';
import type { Target } from './client/target.ts';

/** What `enable`, `disable` and `weight` are told. */
export interface ChangeFlags extends ClientFlags {
  readonly service?: string;
  readonly namespace?: string;
  readonly group?: string;
  readonly cluster?: string;
}

export type Change = { readonly enabled: boolean } | { readonly weight: number };

/** 0, or 0.01 to 10000, as Nacos has it. Throws `UsageError`. */
export function weightIn(text: string): number {
  const weight = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (weight === 0 || (weight >= 0.01 && weight <= 10_000)) return weight;
  throw new UsageError([`a weight must be 0, or 0.01..10000, got ${JSON.stringify(text.slice(0, 200))}`]);
}

/**
 * Lays an operator's edit over an instance that is registered, and tells what was and what is. Nothing else of it is edited, and one that
 * is not here is not made. Rejects with `UsageError`, `UnreachableError`, `CallError`.
 */
export async function change(text: string, change: Change, flags: ChangeFlags, { target, output }: Client): Promise<void> {
  const address = addressIn(text);
  const before = await meant(target, address, flags);
  if (flags.cluster !== undefined && before.cluster !== flags.cluster)
    throw new CallError(`${text} of ${serviceText(before.service)} is in the cluster ${before.cluster}, not ${flags.cluster}`);
  const { ip, port } = before;
  const query = { ...before.service, clusterName: before.cluster, ip, port, ...change };
  await textFrom(target, { method: 'PATCH', path: '/nacos/v1/ns/instance', query });
  const found = await instanceOf(target, before.service, address);
  // What a client says itself is laid over by no edit, and so not told of one that is drained.
  const after = { ...found, enabled: found.enabled ?? ('enabled' in change ? change.enabled : undefined) };
  if (output.isJson) {
    const { namespaceId, serviceName } = after.service;
    const [group = '', ...name] = serviceName.split('@@');
    const named = { namespace: namespaceId, group, service: name.join('@@'), ip, port, cluster: after.cluster };
    output.json({ ...named, before: editable(before), after: editable(after) });
    return;
  }
  output.line(`${addressText(after)} of ${serviceText(after.service)}: ${inWords(before, after)}`);
  if (after.drainedUntil !== undefined) {
    output.note(
      `it is drained until ${after.drainedUntil}, and gets no calls before: this counts once that is over (beatbridge resume)`,
    );
    return;
  }
  if (after.enabled && after.weight === 0) output.note('it gets no calls: its weight is 0');
  else if (after.enabled && !after.healthy) output.note('it gets no calls: it is unhealthy');
  else if (!after.enabled && !('enabled' in change)) output.note('it gets no calls: it is disabled');
}

/** In the service that is named, or in the only one that has it. */
async function meant(target: Target, address: Address, flags: ChangeFlags): Promise<Shown> {
  if (flags.service !== undefined) return await instanceOf(target, serviceIn(flags.service, flags), address);
  if (flags.group !== undefined) throw new UsageError(['--group needs --service']);
  const found = await instancesAt(target, address, flags.namespace);
  const [only, ...others] = found;
  if (only === undefined) throw new CallError(`${addressText(address)} is registered in no service`);
  if (others.length === 0) return only;
  const named = found.slice(0, MOST_NAMED).map(({ service }) => flagsFor(service));
  const more = found.length > MOST_NAMED ? `, and ${found.length - MOST_NAMED} more` : '';
  throw new UsageError([`${addressText(address)} is in ${found.length} services, say which: ${named.join('; ')}${more}`]);
}

const MOST_NAMED = 20;

/** What says it. */
function flagsFor({ namespaceId, serviceName }: ServiceParams): string {
  const name = serviceName.replace(/^DEFAULT_GROUP@@/, '');
  return `--service ${forShell(name)}${namespaceId === 'public' ? '' : ` --namespace ${forShell(namespaceId)}`}`;
}

/** As one word of a shell, whatever is in it. */
function forShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function editable({ enabled, weight, drainedUntil }: Shown) {
  return { enabled, weight, ...(drainedUntil !== undefined && { drainedUntil }) };
}

function inWords(before: Shown, after: Shown): string {
  const said = [
    ...(before.enabled === after.enabled ? [] : [`${stateOf(before)} -> ${stateOf(after)}`]),
    ...(before.weight === after.weight ? [] : [`weight ${before.weight} -> ${after.weight}`]),
  ];
  return said.length > 0 ? said.join(', ') : `${stateOf(after)}, weight ${after.weight}, as before`;
}

function stateOf({ enabled }: Shown): string {
  if (enabled === undefined) return 'as its client says';
  return enabled ? 'enabled' : 'disabled';
}
