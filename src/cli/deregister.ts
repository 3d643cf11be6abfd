import type { Client, ClientFlags } from './client/connection-flags.ts';
import { addressIn, addressText, instanceOf, serviceIn, serviceText } from './client/instance-place.ts';
import { done } from './client/nacos-answer.ts';

/** What `deregister` is told. */
export interface DeregisterFlags extends ClientFlags {
  readonly namespace?: string;
  readonly group?: string;
}

/**
 * Takes an instance away that is registered. One that is not is refused: whoever misspells it would else be told that it has gone. Rejects
 * with `UsageError`, `UnreachableError`, `CallError`.
 */
export async function deregister(name: string, text: string, flags: DeregisterFlags, { target, output }: Client): Promise<void> {
  const address = addressIn(text);
  const service = serviceIn(name, flags);
  const { ip, port, cluster: clusterName } = await instanceOf(target, service, address);
  await done(target, { method: 'DELETE', path: '/nacos/v1/ns/instance', query: { ...service, ip, port, clusterName } });
  if (output.isJson) output.json({ ...service, ip, port, deregistered: true });
  else output.line(`${addressText(address)} of ${serviceText(service)}: deregistered`);
}
