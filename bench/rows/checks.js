/** Check over gRPC: many calls at once, one after the other, with deadlines, and each over a connection of its own as probes make it. */
import { checksWithDeadlines } from '../loads/deadlines.js';
import { healthRequest } from '../loads/grpc-frames.js';
import { checksOverNewConnections } from '../loads/new-connections.js';
import { ghz, h2load } from '../loads/programs.js';
import { beatbridge, beatbridgeOverTls, grpcGoOverTls, PEERS, SERVICE } from '../peers/peers.js';
import { costOf } from '../use.js';

const calls =
  (connections, streams) =>
  (peer, { seconds }) =>
    costOf(peer, () => {
      const call = { path: '/grpc.health.v1.Health/Check', message: healthRequest(SERVICE) };
      return h2load({ port: peer.grpcPort, isSecure: peer.isSecure, ...call, connections, streams, seconds });
    });

/** As a load that takes all of this shape. */
const ten =
  (load) =>
  (peer, { seconds }) =>
    costOf(peer, () => load({ port: peer.grpcPort, service: SERVICE, connections: 10, streams: 10, seconds }));

const newConnections =
  (as) =>
  (peer, { seconds }) =>
    costOf(peer, () => checksOverNewConnections({ port: peer.grpcPort, service: SERVICE, seconds, as }));

export const checks = {
  name: 'check',
  subjects: { beatbridge: () => beatbridge(), ...PEERS },
  works: [
    {
      name: '10x10',
      title: 'Check over gRPC, 10 connections x 10 calls',
      take: calls(10, 10),
      lines: [
        { figure: 'perSecond', peer: 'connect-node', atLeast: 8 },
        { figure: 'perSecond', peer: 'grpc-js', atLeast: 8 },
        { figure: 'perSecond', peer: 'grpc-go', atLeast: 2.5 },
        { figure: 'cpuUs', peer: 'grpc-js' },
        { figure: 'cpuUs', peer: 'node:http2' },
        { figure: 'cpuUs', peer: 'grpc-go', atMost: 0.35 },
      ],
    },
    {
      name: 'deadlines',
      title: 'the same, each with another `grpc-timeout`',
      of: ['beatbridge', 'node:http2', 'grpc-go'],
      take: ten(checksWithDeadlines),
      lines: [
        { figure: 'cpuUs', peer: 'node:http2' },
        { figure: 'cpuUs', peer: 'grpc-go', atMost: 0.35 },
      ],
    },
    {
      name: 'ghz',
      title: 'the same, by ghz',
      of: ['beatbridge', 'grpc-go'],
      take: ten(ghz),
      lines: [
        { figure: 'perSecond', peer: 'grpc-go' },
        { figure: 'cpuUs', peer: 'grpc-go', atMost: 0.35 },
      ],
    },
    {
      name: '100x1',
      title: 'Check over gRPC, 100 connections x 1 call',
      take: calls(100, 1),
      lines: [
        { figure: 'perSecond', peer: 'grpc-js' },
        { figure: 'perSecond', peer: 'grpc-go', atLeast: 1.5 },
        { figure: 'cpuUs', peer: 'grpc-js' },
        { figure: 'cpuUs', peer: 'node:http2' },
        { figure: 'cpuUs', peer: 'grpc-go' },
      ],
    },
    {
      name: 'new',
      title: 'Check over gRPC, a new connection each, as grpc_health_probe',
      take: newConnections('probe'),
      lines: [
        { figure: 'perSecond', peer: 'grpc-js', atLeast: 1.5 },
        { figure: 'cpuUs', peer: 'grpc-js' },
        { figure: 'cpuUs', peer: 'grpc-go', atMost: 0.8 },
      ],
    },
    {
      name: 'new-reset',
      title: 'Check over gRPC, a new connection each, in one write and reset',
      take: newConnections('reset'),
      lines: [
        { figure: 'perSecond', peer: 'grpc-js', atLeast: 1.5 },
        { figure: 'cpuUs', peer: 'grpc-go', atMost: 0.8 },
      ],
    },
  ],
};

const CLEARTEXT = 'cleartext';

export const secureChecks = {
  name: 'check-tls',
  subjects: { beatbridge: beatbridgeOverTls, [CLEARTEXT]: () => beatbridge(), 'grpc-go': grpcGoOverTls },
  works: [
    {
      name: '10x10',
      title: 'Check over gRPC with TLS, 10 connections x 10 calls',
      take: calls(10, 10),
      lines: [
        { figure: 'perSecond', peer: CLEARTEXT, atLeast: 0.75 },
        { figure: 'perSecond', peer: 'grpc-go' },
        { figure: 'cpuUs', peer: 'grpc-go' },
      ],
    },
    {
      name: '100x1',
      title: 'Check over gRPC with TLS, 100 connections x 1 call',
      take: calls(100, 1),
      lines: [
        { figure: 'perSecond', peer: CLEARTEXT },
        { figure: 'perSecond', peer: 'grpc-go', atLeast: 1 },
        { figure: 'cpuUs', peer: 'grpc-go' },
      ],
    },
  ],
};
