/** Check over gRPC: many calls at once, one after the other, and each over a connection of its own as probes make it. */
import { healthRequest } from '../loads/grpc-frames.js';
import { checksOverNewConnections } from '../loads/new-connections.js';
import { h2load } from '../loads/programs.js';
import { beatbridge, connectNode, grpcGo, grpcJs, nodeHttp2, SERVICE } from '../peers/peers.js';
import { costOf } from '../use.js';

const calls =
  (connections, streams) =>
  (peer, { seconds }) =>
    costOf(peer, () => {
      const call = { path: '/grpc.health.v1.Health/Check', message: healthRequest(SERVICE) };
      return h2load({ port: peer.grpcPort, ...call, connections, streams, seconds });
    });

export const checks = {
  name: 'check',
  subjects: {
    beatbridge: () => beatbridge(),
    'connect-node': connectNode,
    'grpc-js': grpcJs,
    'node:http2': nodeHttp2,
    'grpc-go': grpcGo,
  },
  works: [
    {
      name: '10x10',
      title: 'Check over gRPC, 10 connections x 10 calls',
      take: calls(10, 10),
      lines: [
        { figure: 'perSecond', peer: 'connect-node', atLeast: 8 },
        { figure: 'perSecond', peer: 'grpc-js', atLeast: 1.3 },
        { figure: 'cpuUs', peer: 'grpc-js', atMost: 0.75 },
        { figure: 'cpuUs', peer: 'node:http2', atMost: 1.25 },
        { figure: 'cpuUs', peer: 'grpc-go' },
      ],
    },
    {
      name: '100x1',
      title: 'Check over gRPC, 100 connections x 1 call',
      take: calls(100, 1),
      lines: [
        { figure: 'perSecond', peer: 'grpc-js' },
        { figure: 'cpuUs', peer: 'grpc-js' },
        { figure: 'cpuUs', peer: 'node:http2' },
        { figure: 'cpuUs', peer: 'grpc-go' },
      ],
    },
    {
      name: 'new',
      title: 'Check over gRPC, a new connection each',
      take: (peer, { seconds }) =>
        costOf(peer, () => checksOverNewConnections({ port: peer.grpcPort, service: SERVICE, seconds })),
      lines: [
        { figure: 'perSecond', peer: 'grpc-js', atLeast: 1.5 },
        { figure: 'cpuUs', peer: 'grpc-js' },
        { figure: 'cpuUs', peer: 'grpc-go' },
      ],
    },
  ],
};
