import { type Peer, peerOf, type Serve } from '../wire/exchange.ts';
import { type RpcOptions, rpcByPath } from './rpc.ts';

export interface NacosRpcOptions extends RpcOptions {
  /** The same of messages over streams, and of those from strangers. */
  readonly maxStreamMessageBytes: number;
  /** Whether a caller has said who it is. */
  readonly knows: (peer: Peer) => boolean;
}

/**
 * As `rpcByPath`, for the protocol of Nacos 2.x: whoever has not set up a connection is read no more of than a set-up takes, and
 * nothing that is larger when it is inflated. Over the stream of a connection nobody has more to say.
 */
export function nacosRpcByPath(options: NacosRpcOptions): ReadonlyMap<string, Serve> {
  const { maxStreamMessageBytes, knows } = options;
  const all = rpcByPath(options);
  const small = rpcByPath({ ...options, maxMessageBytes: Math.min(maxStreamMessageBytes, options.maxMessageBytes) });
  return new Map(
    [...small].map(([path, serveSmall]): [string, Serve] => {
      const serveAll = all.get(path);
      if (serveAll === undefined || path.startsWith(STREAMS)) return [path, serveSmall];
      return [path, (req, res) => (knows(peerOf(req)) ? serveAll : serveSmall)(req, res)];
    }),
  );
}

const STREAMS = '/BiRequestStream/';
