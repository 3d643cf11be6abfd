import { type ClientHttp2Session, connect, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2';
import type { Socket } from 'node:net';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
} from '../gen/grpc/health/v1/health_pb.ts';
import type { CheckKind } from '../registry/checks.ts';
import { CheckError } from './check.ts';
import { type Dial, hostText } from './dial.ts';
import { secured } from './tls.ts';

type GrpcCheck = Extract<CheckKind, { type: 'grpc' }>;

const PATH = '/grpc.health.v1.Health/Check';

/** In bytes. A status takes two. */
const MAX_ANSWER = 4_096;
const MAX_HEAD = 16 * 1024;

/** One call of grpc.health.v1.Health/Check, on a connection of its own. */
export async function checkGrpc(
  check: GrpcCheck,
  ip: string,
  port: number,
  dial: Dial,
  signal: AbortSignal,
  ca: string | undefined,
): Promise<void> {
  const plain = await dial(ip, port, signal);
  const socket = check.tls ? await secureH2(plain, ip, check.verify, ca) : plain;
  judge(await call(socket, `${check.tls ? 'https' : 'http'}://${hostText(ip)}:${port}`, check.service));
}

async function secureH2(plain: Socket, ip: string, verify: boolean, ca: string | undefined): Promise<Socket> {
  const socket = await secured(plain, ip, { verify, protocol: 'h2', ca });
  if (socket.alpnProtocol !== 'h2') throw new CheckError('not gRPC', 'at-once');
  return socket;
}

function judge(body: Buffer): void {
  switch (servingStatus(body)) {
    case HealthCheckResponse_ServingStatus.SERVING:
      return;
    case HealthCheckResponse_ServingStatus.NOT_SERVING:
      throw new CheckError('NOT_SERVING', 'at-once');
    case HealthCheckResponse_ServingStatus.SERVICE_UNKNOWN:
      throw new CheckError('SERVICE_UNKNOWN', 'at-once');
    default:
      throw callFailed();
  }
}

/** Undefined unless the body is one message, and that not compressed: nobody was told that it may be. */
function servingStatus(body: Buffer): number | undefined {
  if (body.length < 5 || body[0] !== 0 || body.readUInt32BE(1) !== body.length - 5) return undefined;
  try {
    return fromBinary(HealthCheckResponseSchema, body.subarray(5)).status;
  } catch {
    return undefined;
  }
}

/** The body of a call that has ended with the status OK. */
async function call(socket: Socket, authority: string, service: string): Promise<Buffer> {
  const session = connect(authority, {
    createConnection: () => socket,
    settings: { enablePush: false, maxHeaderListSize: MAX_HEAD },
  });
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      let isHttp2 = false;
      session.once('remoteSettings', () => {
        isHttp2 = true;
      });
      session.on('error', (error) => reject(isHttp2 ? callFailed() : noSession(error)));
      session.once('close', () => reject(isHttp2 ? callFailed() : noSession()));
      // What ends a session that never was one, it says itself.
      exchange(session, frameOf(service), resolve, (error) => isHttp2 && reject(error));
    });
  } finally {
    session.destroy();
    socket.destroy();
  }
}

/** Why there was not even a session: what came was not HTTP/2, or nothing came. */
function noSession(error?: Error): CheckError {
  const isRefused = error !== undefined && 'code' in error && String(error.code).startsWith('ERR_HTTP2_');
  return isRefused ? new CheckError('not gRPC', 'at-once') : new CheckError('connection ended', 'counted');
}

function exchange(
  session: ClientHttp2Session,
  request: Buffer,
  resolve: (body: Buffer) => void,
  fail: (error: CheckError) => void,
): void {
  const stream = session.request({
    ':method': 'POST',
    ':path': PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'beatbridge',
  });
  const parts: Buffer[] = [];
  let length = 0;
  let status: string | undefined;
  stream.on('error', () => fail(callFailed()));
  stream.once('response', (headers) => {
    const trouble = headTrouble(headers);
    if (trouble !== undefined) fail(trouble);
    status = grpcStatus(headers);
  });
  stream.once('trailers', (trailers) => {
    status ??= grpcStatus(trailers);
  });
  stream.on('data', (part: Buffer) => {
    length += part.length;
    if (length > MAX_ANSWER) fail(callFailed());
    else parts.push(part);
  });
  // By then trailers have been heard of, which may come as one with the end of the body.
  stream.once('close', () => {
    const trouble = statusTrouble(status);
    if (trouble === undefined) resolve(Buffer.concat(parts));
    else fail(trouble);
  });
  stream.end(request);
}

function headTrouble(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): CheckError | undefined {
  const status = headers[':status'];
  // What a proxy says of what is behind it.
  if (status === 502 || status === 503 || status === 504) return callFailed();
  const isGrpc = status === 200 && /^application\/grpc(?:[+;]|$)/.test(headers['content-type'] ?? '');
  return isGrpc ? undefined : new CheckError('not gRPC', 'at-once');
}

function grpcStatus(headers: IncomingHttpHeaders): string | undefined {
  const status = headers['grpc-status'];
  return typeof status === 'string' ? status : undefined;
}

function statusTrouble(status: string | undefined): CheckError | undefined {
  switch (status) {
    case '0':
      return undefined;
    case '5':
      return new CheckError('SERVICE_UNKNOWN', 'at-once');
    case '12':
      return new CheckError('UNIMPLEMENTED', 'at-once');
    default:
      return callFailed();
  }
}

function frameOf(service: string): Buffer {
  const message = toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }));
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

function callFailed(): CheckError {
  return new CheckError('call failed', 'counted');
}
