import type { Snapshot, ViewName } from '../../src/console/api.ts';
import type { Listeners } from '../../src/index.ts';

/** A view as a whole, as the page reads it. `token`: of a login. */
export async function lookAt<V extends ViewName>(
  server: { readonly listeners: Pick<Listeners, 'main'> },
  view: V,
  params: Readonly<Record<string, string | number>> = {},
  token?: string,
): Promise<Snapshot<V>> {
  const said = Object.entries(params).map(([name, value]): [string, string] => [name, String(value)]);
  const url = `http://${server.listeners.main}/console/api/snapshot?${new URLSearchParams([['view', view], ...said])}`;
  const response = await fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${view}: ${response.status} ${await response.text()}`);
  // As the server writes it.
  return (await response.json()) as Snapshot<V>;
}
