/** How cost grows with what is registered: 1,000 instances to a million, ten to a service. */
import { healthRequest } from '../loads/grpc-frames.js';
import { h2load, wrk } from '../loads/programs.js';
import { beatbridge, nodeHttp, SERVICE } from '../peers/peers.js';
import { costOf, memoryOf } from '../use.js';
import { bareAnswers, calls, filled } from './registry.js';
import { lateness } from './silence.js';

const SIZES = { 'at 1k': 1_000, 'at 10k': 10_000, 'at 100k': 100_000, 'at 1M': 1_000_000 };
const [SMALL, , , LARGE] = Object.keys(SIZES);
const CONNECTIONS = 100;
/** With how many registered each of them is measured. */
const sizes = Object.keys(SIZES);

const beat = (peer, { seconds, subject }) => calls('beat', SIZES[subject] ?? SIZES[LARGE])(peer, { seconds });
const list = (peer, { seconds, subject }) => calls('list', SIZES[subject])(peer, { seconds });

const checkOverGrpc = (peer, { seconds }) =>
  costOf(peer, () => {
    const check = { path: '/grpc.health.v1.Health/Check', message: healthRequest(SERVICE) };
    return h2load({ port: peer.grpcPort, ...check, connections: 10, streams: 10, seconds });
  });

/** Each of another service. */
const checkOverHttp = (peer, { seconds, subject }) =>
  costOf(peer, () => {
    const load = { port: peer.httpPort, script: 'instances.lua', args: ['check', SIZES[subject]] };
    return wrk({ ...load, connections: CONNECTIONS, seconds });
  });

/** Those that are there already, as their clients register them once more. */
const registerAgain = (peer, { seconds, subject }) => calls('reregister', SIZES[subject])(peer, { seconds });

const memory = async (peer) => ({
  rssMB: peer.process.rssBytes() / 1e6,
  heldMB: (await memoryOf(peer)).heldBytes / 1e6,
});

/** From the smallest to each of the others. */
const growth = (figure, wanted) =>
  sizes
    .slice(1)
    .map((ours) => ({ figure, ours, peer: SMALL, ...(ours === LARGE && wanted !== undefined && { atMost: wanted }) }));

export const scale = {
  name: 'scale',
  subjects: {
    ...Object.fromEntries(sizes.map((size) => [size, async () => filled(await beatbridge(), SIZES[size])])),
    'node:http': async () => nodeHttp(await bareAnswers()),
  },
  works: [
    {
      name: 'memory',
      title: 'memory',
      of: sizes,
      cold: true,
      take: memory,
      lines: [
        ...sizes.slice(0, -1).map((ours) => ({ figure: 'rssMB', ours })),
        { figure: 'rssMB', ours: LARGE, atMost: 700 },
        { figure: 'heldMB', ours: LARGE },
      ],
    },
    {
      name: 'beat',
      title: 'a beat',
      take: beat,
      lines: [...growth('cpuUs', 1.3), { figure: 'perSecond', ours: LARGE, peer: 'node:http' }],
    },
    { name: 'check', title: 'a Check over gRPC', of: sizes, take: checkOverGrpc, lines: growth('cpuUs', 1.3) },
    { name: 'check-json', title: 'a Check in JSON, of any service', of: sizes, take: checkOverHttp, lines: growth('cpuUs', 1.3) },
    { name: 'list', title: 'a list of 10', of: sizes, take: list, lines: growth('cpuUs') },
    { name: 'register', title: 'a registration', of: sizes, take: registerAgain, lines: growth('cpuUs') },
    {
      name: 'lateness',
      title: 'how late silence is told',
      of: [SMALL, LARGE],
      cold: true,
      take: lateness,
      lines: [
        { figure: 'p99Ms', ours: SMALL },
        { figure: 'p99Ms', ours: LARGE, atMost: 250 },
        { figure: 'longestMs', ours: LARGE },
      ],
    },
  ],
};
