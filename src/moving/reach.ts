import { orAbsent } from './answers.ts';
import { Api, type ApiOptions, isObject } from './api.ts';
import { beatbridge } from './beatbridge.ts';
import { MovingError, type RefusedError } from './errors.ts';
import { nacos12 } from './nacos-1-2.ts';
import { nacos3 } from './nacos-3.ts';
import type { Peer } from './peer.ts';

/** Whom an address belongs to: a beatbridge, or a Nacos of which version. For `await using`. */
export async function reach(options: ApiOptions): Promise<Reached> {
  const api = await Api.open(options);
  try {
    return { peer: await peerOf(api, options.server), [Symbol.asyncDispose]: () => api.close() };
  } catch (error) {
    await api.close();
    throw error;
  }
}

export interface Reached extends AsyncDisposable {
  readonly peer: Peer;
}

async function peerOf(api: Api, server: string): Promise<Peer> {
  const isNone = ({ status }: RefusedError) => status === 404 || status === 410 || status === 501;
  const state = await orAbsent(api.data('GET', '/v3/admin/core/state'), isNone);
  if (isObject(state)) {
    const edits = await orAbsent(api.data('GET', '/v3/admin/ns/overlay', { pageNo: 1, pageSize: 1 }), isNone);
    return edits === undefined ? nacos3(api, `Nacos ${String(state.version)}`) : beatbridge(api);
  }
  const old = await orAbsent(api.call('GET', '/v1/console/server/state'), isNone);
  if (isObject(old) && typeof old.version === 'string') return nacos12(api, old.version);
  throw new MovingError(`${server} is neither a beatbridge nor a Nacos: it does not say which version it is`);
}
