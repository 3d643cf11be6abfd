import type { Options } from '../../options.ts';
import { bytesText, type Finding, fail, ok, warn } from './finding.ts';

/** What the machine, or the container, gives the process: Node, descriptors, memory. */

/** As in package.json. */
const LEAST_NODE = [20, 19] as const;
const LAST_WITHOUT_FIXES = 20;

export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1]);
  if (isOld) return fail('node', `Node ${version}`, `at least Node ${LEAST_NODE.join('.')} is needed`);
  if (major <= LAST_WITHOUT_FIXES)
    return warn('node', `Node ${version}, which gets no more fixes for what is insecure in it`, 'take Node 24 or later');
  return ok('node', `Node ${version}`);
}

/** What the process needs for itself: files of the program and of its store, and what listens. */
const OWN_DESCRIPTORS = 100;
const FEW_DESCRIPTORS = 4_096;

/** `whose`: of this process, or of the server that runs here. */
export function descriptorFinding(limit: number, whose: string, { maxSockets }: Pick<Options, 'maxSockets'>): Finding {
  const check = 'descriptors';
  if (!Number.isFinite(limit)) return ok(check, `${whose}: the system sets no limit that can be read`);
  const says = `${whose} may open ${limit} files and sockets, --max-sockets is ${maxSockets}`;
  const todo = `raise the limit: ulimit -n ${maxSockets + OWN_DESCRIPTORS}, LimitNOFILE= of systemd, or --ulimit nofile of a container`;
  if (limit < FEW_DESCRIPTORS) return warn(check, `${says}: connections are refused long before that`, todo);
  if (limit < maxSockets + OWN_DESCRIPTORS)
    return ok(check, `${says}: about ${limit - OWN_DESCRIPTORS} connections at most, which is enough for many`);
  return ok(check, says);
}

export interface Memory {
  /** Of the container, or of the machine. */
  readonly totalBytes: number;
  readonly isContainer: boolean;
  /** What V8 lets its heap grow to. */
  readonly heapBytes: number;
}

/** What an instance takes that has a service of its own, and what the process takes without any. */
const INSTANCE_BYTES = 531;
const IDLE_BYTES = 96 << 20;
/** Texts of lists, of both kinds, that are kept. */
const LIST_BYTES = 128 << 20;
const LEAST_BYTES = 192 << 20;

/** Limits guard the process only where their sum fits in its memory. */
export function memoryFinding({ totalBytes, isContainer, heapBytes }: Memory, options: Options): Finding {
  const check = 'memory';
  const has = `${bytesText(totalBytes)}${isContainer ? ' for this container' : ''}, ${bytesText(heapBytes)} of heap`;
  if (totalBytes < LEAST_BYTES) return fail(check, has, `give it ${bytesText(LEAST_BYTES)} at least`);
  if (heapBytes > totalBytes)
    return warn(
      check,
      `${has}: the heap may grow beyond what there is`,
      `NODE_OPTIONS=--max-old-space-size=${Math.floor((totalBytes * 0.6) / 2 ** 20)}`,
    );
  const most = mostBytes(options, heapBytes);
  if (most <= totalBytes) return ok(check, `${has}; ${bytesText(most)} at worst within all limits`);
  return warn(
    check,
    `${has}; within all limits ${bytesText(most)} may be used at worst`,
    'give it more, or lower --max-instances, --max-config-total-bytes, --max-metadata-in-all, or the other limits in bytes',
  );
}

/** All at once, as only somebody who means harm brings it about. */
export function mostBytes(options: Options, heapBytes: number): number {
  const shareOfHeap = heapBytes / 4;
  return (
    IDLE_BYTES +
    LIST_BYTES +
    options.maxInstances * INSTANCE_BYTES +
    options.maxMetadataInAll +
    options.maxHeldBytesInAll +
    options.maxUnreadBytesInAll +
    options.maxUnsentBytesInAll +
    options.maxAnswerBytesInAll +
    Math.min(options.maxConfigTotalBytes, shareOfHeap) +
    Math.min(options.maxInterestBytesInAll, shareOfHeap)
  );
}
