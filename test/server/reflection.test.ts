import {
  create,
  createFileRegistry,
  type DescService,
  fromBinary,
  type MessageInitShape,
  toBinary,
  toJsonString,
} from '@bufbuild/protobuf';
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  StringValueSchema,
} from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient, createRouterTransport, type Transport } from '@connectrpc/connect';
import { createWritableIterable } from '@connectrpc/connect/protocol';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { credentials, Client as GrpcJsClient, type StatusObject } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as v1 from '../../src/gen/grpc/reflection/v1/reflection_pb.ts';
import * as v1alpha from '../../src/gen/grpc/reflection/v1alpha/reflection_pb.ts';
import type { Server } from '../../src/index.ts';
import { reflectionRoutes } from '../../src/server/reflection.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { startServer } from '../support/server.ts';

type Version = typeof v1 | typeof v1alpha;
type Request = MessageInitShape<typeof v1.ServerReflectionRequestSchema>;
type Question = NonNullable<Request['messageRequest']>;
type Response = v1.ServerReflectionResponse;

/** One call, word by word. */
interface Call extends Disposable {
  say(request: Request): void;
  /** No more is to be said. */
  halfClose(): void;
  /** The next answer; undefined when the call has ended with OK. Rejects with the code of a call that has not. */
  hear(): Promise<Response | undefined>;
}

class CallFailed extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`code ${code}`);
    this.code = code;
  }
}

function overConnect(transport: Transport, { ServerReflection }: Version): Call {
  const requests = createWritableIterable<Request>();
  const cancel = new AbortController();
  // The two versions differ in the names of their types only, and nothing here looks at those.
  const client = createClient(ServerReflection as typeof v1.ServerReflection, transport);
  const answers = client.serverReflectionInfo(requests, { signal: cancel.signal })[Symbol.asyncIterator]();
  return {
    // Connect takes it when it can; should the call end first, its code says so.
    say: (request) => void requests.write(request).catch(() => {}),
    halfClose: () => requests.close(),
    async hear() {
      try {
        const { done, value } = await answers.next();
        return done === true ? undefined : value;
      } catch (cause) {
        throw new CallFailed(ConnectError.from(cause).code);
      }
    },
    [Symbol.dispose]: () => cancel.abort(),
  };
}

function overGrpcJs(address: string, { ServerReflection, ServerReflectionRequestSchema }: Version): Call {
  const { input, output } = ServerReflection.method.serverReflectionInfo;
  const client = new GrpcJsClient(address, credentials.createInsecure());
  const call = client.makeBidiStreamRequest(
    `/${ServerReflection.typeName}/ServerReflectionInfo`,
    // As above: nothing here looks at the names of types.
    (request: Request) => Buffer.from(toBinary(input, create(ServerReflectionRequestSchema, request as object))),
    (bytes) => fromBinary(output, bytes) as unknown as Response,
  );
  // How it ended is told by its status.
  call.on('error', () => {});
  const status = new Promise<StatusObject>((resolve) => {
    call.once('status', resolve);
  });
  const answers = call[Symbol.asyncIterator]();
  return {
    say: (request) => void call.write(request),
    halfClose: () => void call.end(),
    async hear() {
      const next = await answers.next().catch(() => ({ done: true, value: undefined }));
      if (next.done !== true) return next.value;
      const { code } = await status;
      if (code !== 0) throw new CallFailed(code);
      return undefined;
    },
    [Symbol.dispose]: () => {
      call.cancel();
      client.close();
    },
  };
}

const VERSIONS = { v1, v1alpha };
const CLIENTS: Readonly<Record<string, (address: string, version: Version) => Call>> = {
  'grpc-js': overGrpcJs,
  'connect-node': (address, version) => overConnect(createGrpcTransport({ baseUrl: `http://${address}` }), version),
};
const COMBINATIONS = Object.entries(VERSIONS).flatMap(([name, version]) =>
  Object.entries(CLIENTS).map(([client, open]) => [name, client, (address: string) => open(address, version)] as const),
);

/** All answers to these questions, asked at once. Rejects unless the call then ends with OK. */
async function askAll(call: Call, questions: readonly Question[]): Promise<Response[]> {
  for (const messageRequest of questions) call.say({ messageRequest });
  call.halfClose();
  const answers: Response[] = [];
  for (let answer = await call.hear(); answer !== undefined; answer = await call.hear()) answers.push(answer);
  return answers;
}

async function ask(call: Call, question: Question): Promise<Response['messageResponse']> {
  const [answer, ...more] = await askAll(call, [question]);
  if (answer === undefined || more.length > 0) throw new Error('not one answer');
  return answer.messageResponse;
}

function filesIn(answer: Response['messageResponse']): FileDescriptorProto[] {
  if (answer.case !== 'fileDescriptorResponse') throw new Error(`no files in ${JSON.stringify(answer)}`);
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

function notFound(errorMessage: string): object {
  return { case: 'errorResponse', value: { errorCode: 5, errorMessage } };
}

const HEALTH_FILE = 'grpc/health/v1/health.proto';

failOnLeaks();

describe.each(COMBINATIONS)('reflection %s to %s', (_, __, open) => {
  let server: Server;
  const call = () => open(server.listeners.health);

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close(100));

  it('lists health and itself', async () => {
    using asking = call();
    const answer = await ask(asking, { case: 'listServices', value: 'whatever' });
    expect(answer.case === 'listServicesResponse' && answer.value.service.map(({ name }) => name)).toEqual([
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
    ]);
  });

  it('gives a file by its name, with all that a client needs to call its service', async () => {
    using asking = call();
    const [file, ...imports] = filesIn(await ask(asking, { case: 'fileByFilename', value: HEALTH_FILE }));
    expect(imports).toEqual([]);
    const health = file && createFileRegistry(file, () => undefined).getService('grpc.health.v1.Health');
    expect(health?.methods.map(({ name, methodKind, input, output }) => [name, methodKind, input.name, output.name])).toEqual([
      ['Check', 'unary', 'HealthCheckRequest', 'HealthCheckResponse'],
      ['List', 'unary', 'HealthListRequest', 'HealthListResponse'],
      ['Watch', 'server_streaming', 'HealthCheckRequest', 'HealthCheckResponse'],
    ]);
  });

  it.each([
    ['a service', 'grpc.health.v1.Health', HEALTH_FILE],
    ['a method', 'grpc.health.v1.Health.Watch', HEALTH_FILE],
    ['a message', 'grpc.health.v1.HealthCheckRequest', HEALTH_FILE],
    ['a field', 'grpc.health.v1.HealthCheckRequest.service', HEALTH_FILE],
    ['a nested enum', 'grpc.health.v1.HealthCheckResponse.ServingStatus', HEALTH_FILE],
    ['a value of an enum', 'grpc.health.v1.HealthCheckResponse.SERVING', HEALTH_FILE],
    ['a nested message', 'grpc.health.v1.HealthListResponse.StatusesEntry', HEALTH_FILE],
    ['a field of a nested message', 'grpc.health.v1.HealthListResponse.StatusesEntry.key', HEALTH_FILE],
    ['a oneof', 'grpc.reflection.v1.ServerReflectionRequest.message_request', 'grpc/reflection/v1/reflection.proto'],
    ['reflection as it was', 'grpc.reflection.v1alpha.ServerReflection', 'grpc/reflection/v1alpha/reflection.proto'],
  ])('gives the file that declares %s', async (_, symbol, file) => {
    using asking = call();
    const files = filesIn(await ask(asking, { case: 'fileContainingSymbol', value: symbol }));
    expect(files.map(({ name }) => name)).toEqual([file]);
  });

  it.each([
    '',
    'nobody',
    'Health',
    'grpc.health.v1',
    '.grpc.health.v1.Health',
    'grpc.health.v1.Health.',
    'grpc.health.v1.Health/Check',
    'grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING',
    '__proto__',
    '../../../etc/passwd',
    '\0\u202e💔',
    'x.'.repeat(7_500),
  ])('does not know the name %j', async (name) => {
    using asking = call();
    const answers = await askAll(asking, [
      { case: 'fileByFilename', value: name },
      { case: 'fileContainingSymbol', value: name },
    ]);
    expect(answers.map(({ messageResponse }) => messageResponse)).toMatchObject([
      notFound('unknown file'),
      notFound('unknown symbol'),
    ]);
  });

  it('has no extensions', async () => {
    using asking = call();
    const containingType = 'grpc.health.v1.HealthCheckRequest';
    const answers = await askAll(asking, [
      { case: 'fileContainingExtension', value: { containingType, extensionNumber: 1 } },
      { case: 'allExtensionNumbersOfType', value: containingType },
    ]);
    expect(answers.map(({ messageResponse }) => messageResponse)).toMatchObject([
      notFound('there are no extensions'),
      notFound('there are no extensions'),
    ]);
  });

  it('sends the host and the request back with each answer', async () => {
    using asking = call();
    const request: Request = { host: 'example.org', messageRequest: { case: 'fileByFilename', value: 'nothing.proto' } };
    asking.say(request);
    expect(await asking.hear()).toMatchObject({ validHost: 'example.org', originalRequest: request });
  });

  it('answers one request after the other, a bad one too, until the caller has no more', async () => {
    using asking = call();
    for (const [messageRequest, expected] of [
      [{ case: 'listServices', value: '' }, 'listServicesResponse'],
      [{ case: undefined }, 'errorResponse'],
      [{ case: 'fileContainingSymbol', value: 'nobody' }, 'errorResponse'],
      [{ case: 'fileContainingSymbol', value: 'grpc.health.v1.Health' }, 'fileDescriptorResponse'],
    ] as const) {
      asking.say({ messageRequest });
      expect((await asking.hear())?.messageResponse.case).toBe(expected);
    }
    asking.halfClose();
    expect(await asking.hear()).toBeUndefined();
  });

  it('answers a thousand requests in their order', async () => {
    using asking = call();
    const questions = Array.from({ length: 1_000 }, (_, i) => ({ case: 'fileByFilename' as const, value: `${i}.proto` }));
    const answers = await askAll(asking, questions);
    expect(answers.map(({ originalRequest }) => originalRequest?.messageRequest)).toEqual(questions);
  });

  it('ends a call that asks nothing with OK', async () => {
    using asking = call();
    expect(await askAll(asking, [])).toEqual([]);
  });

  it('says that it does not implement a request of a kind that it does not know', async () => {
    using asking = call();
    expect(await ask(asking, { case: undefined })).toMatchObject({
      case: 'errorResponse',
      value: { errorCode: 12, errorMessage: 'unknown kind of request' },
    });
  });

  it('refuses a request of more than 16 KiB', async () => {
    using asking = call();
    await expect(ask(asking, { case: 'fileByFilename', value: 'x'.repeat(20_000) })).rejects.toMatchObject({
      code: Code.ResourceExhausted,
    });
  });

  it('is there on every port', async () => {
    for (const address of Object.values(server.listeners)) {
      using asking = open(address);
      expect(await ask(asking, { case: 'listServices', value: '' })).toMatchObject({ case: 'listServicesResponse' });
    }
  });

  it('ends an idle call with UNAVAILABLE when the bridge closes, which does not wait for it', async () => {
    const closing = await startServer();
    using asking = open(closing.listeners.main);
    asking.say({ messageRequest: { case: 'listServices', value: '' } });
    await asking.hear();
    const closed = closing.close(60_000);
    await expect(asking.hear()).rejects.toMatchObject({ code: Code.Unavailable });
    await closed;
  });
});

it('a file comes with all that it imports, each file once and itself first', async () => {
  const transport = createRouterTransport((router) => reflectionRoutes(router, [shop()]));
  const filesFor = async (question: Question) =>
    filesIn(await ask(overConnect(transport, v1), question)).map(({ name }) => name.replace('google/protobuf/', ''));

  const all = ['shop.proto', 'order.proto', 'wrappers.proto', 'money.proto'];
  expect(await filesFor({ case: 'fileContainingSymbol', value: 'shop.Orders.Place' })).toEqual(all);
  expect(await filesFor({ case: 'fileByFilename', value: 'order.proto' })).toEqual([
    'order.proto',
    'money.proto',
    'wrappers.proto',
  ]);
  expect(await filesFor({ case: 'fileContainingSymbol', value: 'Money' })).toEqual(['money.proto', 'wrappers.proto']);
  expect(await filesFor({ case: 'fileContainingSymbol', value: 'google.protobuf.StringValue' })).toEqual(['wrappers.proto']);
});

/** The service `shop.Orders`, whose file imports others, two of them by more than one way; one has no package. */
function shop() {
  const set = create(FileDescriptorSetSchema, {
    file: [
      StringValueSchema.file.proto,
      { name: 'money.proto', syntax: 'proto3', dependency: ['google/protobuf/wrappers.proto'], messageType: [{ name: 'Money' }] },
      { name: 'order.proto', syntax: 'proto3', dependency: ['money.proto', 'google/protobuf/wrappers.proto'] },
      {
        name: 'shop.proto',
        package: 'shop',
        syntax: 'proto3',
        dependency: ['order.proto', 'google/protobuf/wrappers.proto'],
        service: [
          {
            name: 'Orders',
            method: [{ name: 'Place', inputType: '.google.protobuf.StringValue', outputType: '.google.protobuf.StringValue' }],
          },
        ],
      },
    ],
  });
  const service = createFileRegistry(set).getService('shop.Orders');
  if (service === undefined) throw new Error('the shop has no service');
  return service;
}

it('the two versions differ in nothing but the package', () => {
  const written = ({ file }: DescService) => toJsonString(FileDescriptorProtoSchema, file.proto);
  expect(written(v1alpha.ServerReflection).replaceAll('v1alpha', 'v1')).toBe(written(v1.ServerReflection));
});
