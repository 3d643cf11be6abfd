/** From the start of the process until it listens. */
import { beatbridge, connectNode, grpcGo, grpcJs } from '../peers/peers.js';

const start = async (peer) => {
  const { readyMs } = peer.process;
  return { readyMs, rssMB: peer.process.rssBytes() / 1e6 };
};

export const starts = {
  name: 'start',
  subjects: { beatbridge: () => beatbridge(), 'connect-node': connectNode, 'grpc-js': grpcJs, 'grpc-go': grpcGo },
  works: [
    {
      name: 'ready',
      title: 'from its start until it listens',
      fresh: true,
      take: start,
      lines: ['connect-node', 'grpc-js', 'grpc-go'].flatMap((peer) => [
        { figure: 'readyMs', peer },
        { figure: 'rssMB', peer },
      ]),
    },
  ],
};
