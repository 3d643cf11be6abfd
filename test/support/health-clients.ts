import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Client, Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { credentials, Client as GrpcJsClient, status as GrpcStatus, type ServiceError } from '@grpc/grpc-js';
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatusSchema,
  HealthCheckResponseSchema,
} from '../../src/gen/grpc/health/v1/health_pb.ts';

/** A health client reduced to what every protocol can say: status names, and canonical code names in lower case for errors. */
export interface HealthClient extends Disposable {
  check(service: string): Promise<string>;
  /** Statuses as they come; throws a `CallFailed` when the call ends. Undefined where the protocol has no streams. */
  readonly watch: Watch | undefined;
}

type Watch = (service: string, signal: AbortSignal) => AsyncIterable<string>;

/** One of a protocol with streams. */
export interface WatchingClient extends HealthClient {
  readonly watch: Watch;
}

export class CallFailed extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

function statusName(status: number): string {
  return HealthCheckResponse_ServingStatusSchema.values.find(({ number }) => number === status)?.name ?? String(status);
}

function snakeCase(pascal: string): string {
  return pascal.replace(/(?<!^)([A-Z])/g, '_$1').toLowerCase();
}

function failed(error: unknown): never {
  const { code, rawMessage } = ConnectError.from(error);
  throw new CallFailed(snakeCase(Code[code]), rawMessage);
}

function overConnect(transport: Transport): WatchingClient {
  const client: Client<typeof Health> = createClient(Health, transport);
  return {
    async check(service) {
      const { status } = await client.check({ service }).catch(failed);
      return statusName(status);
    },
    async *watch(service, signal) {
      try {
        for await (const { status } of client.watch({ service }, { signal })) yield statusName(status);
      } catch (error) {
        failed(error);
      }
    },
    [Symbol.dispose]() {},
  };
}

const PATH = '/grpc.health.v1.Health';
const serialize = (service: string) =>
  Buffer.from(toBinary(HealthCheckRequestSchema, { $typeName: HealthCheckRequestSchema.typeName, service }));
const deserialize = (bytes: Buffer) => statusName(fromBinary(HealthCheckResponseSchema, bytes).status);

function overGrpcJs(address: string, channel = credentials.createInsecure()): WatchingClient {
  const client = new GrpcJsClient(address, channel);
  const failedHere = (error: ServiceError) => new CallFailed(String(GrpcStatus[error.code]).toLowerCase(), error.details);
  return {
    check: (service) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(`${PATH}/Check`, serialize, deserialize, service, (error, status) => {
          if (error) reject(failedHere(error));
          else resolve(status ?? '');
        });
      }),
    async *watch(service, signal) {
      const call = client.makeServerStreamRequest(`${PATH}/Watch`, serialize, deserialize, service);
      signal.addEventListener('abort', () => call.cancel(), { once: true });
      try {
        yield* call;
      } catch (error) {
        // Only grpc-js throws here, and it throws nothing else.
        throw failedHere(error as ServiceError);
      }
    },
    [Symbol.dispose]: () => client.close(),
  };
}

/** What curl and balancers do: POST JSON, read JSON. */
function overFetch(address: string): HealthClient {
  return {
    async check(service) {
      const response = await fetch(`http://${address}${PATH}/Check`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ service }),
      });
      const body = (await response.json()) as { status?: string; code?: string; message?: string };
      if (!response.ok) throw new CallFailed(body.code ?? String(response.status), body.message ?? '');
      return body.status ?? 'UNKNOWN';
    },
    watch: undefined,
    [Symbol.dispose]() {},
  };
}

/** The certificate of the test's own TLS port: it names localhost and 127.0.0.1, and is its own authority. */
const TLS = join(import.meta.dirname, '../fixtures/tls');
export const TLS_CERT = readFileSync(join(TLS, 'cert.pem'));
export const TLS_KEY = readFileSync(join(TLS, 'key.pem'));
const trusting = { nodeOptions: { ca: TLS_CERT } };

/** The same over the TLS port. */
export const TLS_HEALTH_CLIENTS = {
  'gRPC (grpc-js) with TLS': (address) => overGrpcJs(address.replace('127.0.0.1', 'localhost'), credentials.createSsl(TLS_CERT)),
  'gRPC (connect-node) with TLS': (address) =>
    overConnect(createGrpcTransport({ baseUrl: `https://${address.replace('127.0.0.1', 'localhost')}`, ...trusting })),
  'gRPC-Web, HTTP/1.1 with TLS': (address) =>
    overConnect(
      createGrpcWebTransport({
        baseUrl: `https://${address.replace('127.0.0.1', 'localhost')}`,
        httpVersion: '1.1',
        ...trusting,
      }),
    ),
  'Connect with JSON, HTTP/1.1 with TLS': (address) =>
    overConnect(
      createConnectTransport({
        baseUrl: `https://${address.replace('127.0.0.1', 'localhost')}`,
        httpVersion: '1.1',
        useBinaryFormat: false,
        ...trusting,
      }),
    ),
  'Connect with protobuf, HTTP/2 with TLS': (address) =>
    overConnect(
      createConnectTransport({
        baseUrl: `https://${address.replace('127.0.0.1', 'localhost')}`,
        httpVersion: '2',
        useBinaryFormat: true,
        ...trusting,
      }),
    ),
} as const satisfies Readonly<Record<string, (address: string) => WatchingClient>>;

/** Every way to ask and to watch that a Node program has, by name. */
export const WATCHING_CLIENTS = {
  'gRPC (grpc-js)': overGrpcJs,
  'gRPC (connect-node)': (address) => overConnect(createGrpcTransport({ baseUrl: `http://${address}` })),
  'gRPC with JSON (connect-node)': (address) =>
    overConnect(createGrpcTransport({ baseUrl: `http://${address}`, useBinaryFormat: false })),
  'gRPC-Web, HTTP/1.1': (address) => overConnect(createGrpcWebTransport({ baseUrl: `http://${address}`, httpVersion: '1.1' })),
  'gRPC-Web, HTTP/2': (address) => overConnect(createGrpcWebTransport({ baseUrl: `http://${address}`, httpVersion: '2' })),
  'Connect with JSON, HTTP/1.1': (address) =>
    overConnect(createConnectTransport({ baseUrl: `http://${address}`, httpVersion: '1.1', useBinaryFormat: false })),
  'Connect with protobuf, HTTP/2': (address) =>
    overConnect(createConnectTransport({ baseUrl: `http://${address}`, httpVersion: '2', useBinaryFormat: true })),
} as const satisfies Readonly<Record<string, (address: string) => WatchingClient>>;

/** And those that can only ask. */
export const HEALTH_CLIENTS = { ...WATCHING_CLIENTS, 'JSON POST, HTTP/1.1': overFetch } as const;
