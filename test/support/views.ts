import type { Delta, Snapshot, ViewName } from '../../src/console/api.ts';
import type { Listeners } from '../../src/index.ts';

/** What the page asks for, as it asks. */

type Reachable = { readonly listeners: Pick<Listeners, 'main'> };
type Params = Readonly<Record<string, string | number>>;

/** Of what name it is, the caller says by the type. */
export async function snapshot<V extends ViewName>(
  server: Reachable,
  view: V,
  params: Params = {},
  token?: string,
): Promise<Snapshot<V>> {
  const response = await asked(server, 'snapshot', { view, ...params }, token);
  if (!response.ok) throw new Error(`snapshot: ${response.status} ${await response.text()}`);
  return (await response.json()) as Snapshot<V>;
}

/** Why a view cannot be had. */
export async function refusal(server: Reachable, view: ViewName, params: Params = {}): Promise<string> {
  const response = await asked(server, 'snapshot', { view, ...params });
  return response.ok ? `${response.status}` : ((await response.json()) as { readonly reason: string }).reason;
}

/** What is told of a view from now on, until the caller leaves it. */
export async function* deltas<V extends ViewName>(server: Reachable, view: V, params: Params = {}): AsyncGenerator<Delta<V>> {
  const leave = new AbortController();
  try {
    const response = await asked(server, 'stream', { view, ...params }, undefined, leave.signal);
    let rest = '';
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (rest + piece).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, event] = /^event: (.*)$/m.exec(block) ?? [];
        const [, data] = /^data: (.*)$/m.exec(block) ?? [];
        if (event === 'view' && data !== undefined) yield JSON.parse(data) as Delta<V>;
      }
    }
  } finally {
    leave.abort();
  }
}

function asked(
  { listeners }: Reachable,
  what: string,
  params: Params,
  token?: string,
  signal: AbortSignal | null = null,
): Promise<Response> {
  const query = new URLSearchParams(Object.entries(params).map(([name, value]): [string, string] => [name, String(value)]));
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return fetch(`http://${listeners.main}/console/api/${what}?${query}`, { headers, signal });
}
