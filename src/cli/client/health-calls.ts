import { CallError } from './failures.ts';
import type { CallOptions, GrpcConnection } from './grpc.ts';

/** grpc.health.v1 as a client speaks it, to any server: its messages are a text and a number, and are written and read by hand. */

export type StatusWord = 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

const WORDS: readonly StatusWord[] = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const CHECK = '/grpc.health.v1.Health/Check';
const WATCH = '/grpc.health.v1.Health/Watch';

/** Rejects with `GrpcError`. */
export async function checkHealth(connection: GrpcConnection, service: string, options?: CallOptions): Promise<StatusWord> {
  return statusIn(await connection.unary(CHECK, requestOf(service), options));
}

/** The status, and each that follows, until the signal or the server ends it. Throws `GrpcError`. */
export async function* watchHealth(
  connection: GrpcConnection,
  service: string,
  signal: AbortSignal,
): AsyncGenerator<StatusWord, void> {
  for await (const message of connection.stream(WATCH, requestOf(service), signal)) yield statusIn(message);
}

/** Field 1, a text; left out where it is empty. */
function requestOf(service: string): Buffer {
  if (service === '') return Buffer.alloc(0);
  const text = Buffer.from(service);
  return Buffer.concat([Buffer.from([(1 << 3) | 2]), varint(text.length), text]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left >>>= 7) bytes.push((left & 127) | 128);
  return Buffer.from([...bytes, left]);
}

/** Field 1, a number; fields that are not known are passed over, as newer servers may have some. Of several the last counts. */
export function statusIn(message: Buffer): StatusWord {
  let status = 0;
  let at = 0;
  const read = (): number => {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = message[at++];
      if (byte === undefined || factor > 2 ** 63) throw new CallError('the answer is no HealthCheckResponse');
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  };
  while (at < message.length) {
    const tag = read();
    const [field, type] = [Math.floor(tag / 8), tag % 8];
    if (type === 0) {
      const value = read();
      if (field === 1) status = value;
    } else if (type === 1) at += 8;
    else if (type === 2) {
      const length = read();
      at += length;
    } else if (type === 5) at += 4;
    else throw new CallError('the answer is no HealthCheckResponse');
  }
  if (at > message.length) throw new CallError('the answer is no HealthCheckResponse');
  return WORDS[status] ?? 'UNKNOWN';
}
