import { groupedName } from '../registry/service-name.ts';
import type { Checker, Explanation } from './health.ts';
import { MAX_NAME_BYTES, NAME_FORM, type ServiceSelector } from './names.ts';
import type { Status } from './status.ts';

/**
 * Status as a code, for callers that read no body: what `/health/NAME` answers over HTTP, and what the same path answers as gRPC.
 */
export interface Endpoint {
  readonly http: 200 | 400 | 404 | 503;
  /** OK, INVALID_ARGUMENT, NOT_FOUND or UNAVAILABLE. */
  readonly grpc: 0 | 3 | 5 | 14;
  readonly message: string;
  /** The same for whoever reads on: the status, and why. */
  readonly body: object;
}

/** Of how many services the counts are given, and of how many instances the edits: a bare Dubbo interface can have any number of versions. */
export interface EndpointLimits {
  readonly maxExplained: number;
}

/** What is said of a name. */
export function endpointOf(checker: Checker, text: string, { maxExplained }: EndpointLimits): Endpoint {
  const name = checker.nameFrom(text);
  if (name === undefined) return { http: 400, grpc: 3, message: BAD_NAME, body: { status: 'INVALID', reason: BAD_NAME } };
  const status = checker.statusOf(name);
  const { http, grpc, word } = CODES[status];
  if (name === 'bridge') {
    const reason = status === 'serving' ? 'the bridge is serving' : 'the bridge is shutting down';
    return { http, grpc, message: reason, body: { status: word, reason } };
  }
  const services = checker.explain(name).filter((service) => service.status !== 'unknown');
  const explained = services.slice(0, maxExplained);
  const reason = services.length === 0 ? unknownReason(checker, name) : explained.map(reasonOf).join('; ');
  return {
    http,
    grpc,
    message: reason,
    body: { status: word, reason, services: explained.map((each) => view(each, maxExplained)) },
  };
}

/** What a status is called on the wire of health. */
export function wordOf(status: Status): string {
  return CODES[status].word;
}

const CODES = {
  serving: { http: 200, grpc: 0, word: 'SERVING' },
  'not-serving': { http: 503, grpc: 14, word: 'NOT_SERVING' },
  unknown: { http: 404, grpc: 5, word: 'SERVICE_UNKNOWN' },
} as const satisfies Record<Status, object>;

/** Said of a name that is none. */
export const BAD_NAME = `the name must be ${NAME_FORM}, of at most ${MAX_NAME_BYTES} bytes`;

function unknownReason(checker: Checker, name: ServiceSelector): string {
  return checker.isIgnorantOf(name)
    ? 'unknown service: the bridge has started only lately, its instances may not be back yet'
    : 'unknown service';
}

function reasonOf({ service, total, available, needed, edited }: Explanation): string {
  const counts = `${service.name}: ${available} of ${total} instances available, ${needed} needed`;
  return edited.length === 0 ? counts : `${counts}, ${edited.length} edited by an operator`;
}

function view({ service, status, total, healthy, enabled, available, needed, silentMs, edited }: Explanation, most: number) {
  return {
    namespace: service.namespace,
    service: groupedName(service),
    status: wordOf(status),
    instances: { total, healthy, enabled, available, needed },
    // Milliseconds since the instance was heard of that was heard of last, and first.
    lastBeatAgeMs: total === 0 ? null : { newest: least(silentMs), oldest: greatest(silentMs) },
    // Else nobody would know why an instance that beats is offline.
    ...(edited.length > 0 && { edits: edited.slice(0, most).map(({ ip, port, edit }) => ({ ip, port, edit })) }),
  };
}

// Not by way of arguments, here and below: there may be more instances than a call can have.
function greatest(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}

function least(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}
