import { type DescFile, type DescService, toBinary } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';
import { Code, type ConnectRouter, type HandlerContext } from '@connectrpc/connect';
import * as v1 from '../gen/grpc/reflection/v1/reflection_pb.ts';
import * as v1alpha from '../gen/grpc/reflection/v1alpha/reflection_pb.ts';

/**
 * gRPC server reflection: tells callers that have no .proto files what is served here, as grpcurl and Postman ask for it. Connect has
 * none of its own. It answers from what it was given at the start, and keeps nothing about its callers.
 */

type Question = v1.ServerReflectionRequest | v1alpha.ServerReflectionRequest;

/** What both versions can send. */
type Answer =
  | { case: 'fileDescriptorResponse'; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: 'listServicesResponse'; value: { service: { name: string }[] } }
  | { case: 'errorResponse'; value: { errorCode: Code; errorMessage: string } };

/** Routes both versions of reflection, for these services and for itself. Error texts are constant. */
export function reflectionRoutes(router: ConnectRouter, services: readonly DescService[]): void {
  const answer = answersAbout([...services, v1.ServerReflection, v1alpha.ServerReflection]);
  const implementation = {
    async *serverReflectionInfo<Q extends Question>(questions: AsyncIterable<Q>, { signal }: HandlerContext) {
      // A question is echoed whole: it is no longer than the router lets it be.
      for await (const question of untilAborted(questions, signal))
        yield { validHost: question.host, originalRequest: question, messageResponse: answer(question.messageRequest) };
    },
  };
  // The two differ in the package only, so each is satisfied with its own question sent back.
  router.service(v1.ServerReflection, implementation);
  router.service(v1alpha.ServerReflection, implementation);
}

function answersAbout(services: readonly DescService[]): (asked: Question['messageRequest']) => Answer {
  const list: Answer = {
    case: 'listServicesResponse',
    value: { service: services.map(({ typeName }) => ({ name: typeName })).sort((a, b) => (a.name < b.name ? -1 : 1)) },
  };
  const byFilename = new Map<string, Answer>();
  const bySymbol = new Map<string, Answer>();
  for (const file of new Set(services.flatMap(({ file }) => withImports(file)))) {
    const fileDescriptorProto = withImports(file).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
    const found: Answer = { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
    byFilename.set(file.proto.name, found);
    for (const symbol of symbolsOf(file.proto)) bySymbol.set(symbol, found);
  }

  return (asked) => {
    switch (asked.case) {
      case 'listServices':
        return list;
      case 'fileByFilename':
        return byFilename.get(asked.value) ?? error(Code.NotFound, 'unknown file');
      case 'fileContainingSymbol':
        return bySymbol.get(asked.value) ?? error(Code.NotFound, 'unknown symbol');
      case 'fileContainingExtension':
      case 'allExtensionNumbersOfType':
        return error(Code.NotFound, 'there are no extensions');
      case undefined:
        return error(Code.Unimplemented, 'unknown kind of request');
    }
  };
}

function error(errorCode: Code, errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}

/** The file itself, then every file that it needs to be understood. */
function withImports(file: DescFile): DescFile[] {
  const files = new Set([file]);
  // A set is walked up to what is added on the way.
  for (const { dependencies } of files) for (const dependency of dependencies) files.add(dependency);
  return [...files];
}

/** The full name of everything that a file declares. */
function* symbolsOf({ package: scopeName, service, messageType, enumType }: FileDescriptorProto): Generator<string> {
  const scope = scopeName === '' ? '' : `${scopeName}.`;
  for (const { name, method } of service) {
    yield scope + name;
    for (const { name: rpc } of method) yield `${scope}${name}.${rpc}`;
  }
  yield* typesIn(scope, messageType, enumType);
}

/** Also what is in the messages, and the messages that stand for maps. */
function* typesIn(scope: string, messages: readonly DescriptorProto[], enums: readonly EnumDescriptorProto[]): Generator<string> {
  for (const { name, value } of enums) {
    yield scope + name;
    // The values of an enum are its siblings, as in C++.
    for (const { name: constant } of value) yield scope + constant;
  }
  for (const { name, field, oneofDecl, nestedType, enumType } of messages) {
    yield scope + name;
    for (const { name: member } of [...field, ...oneofDecl]) yield `${scope}${name}.${member}`;
    yield* typesIn(`${scope}${name}.`, nestedType, enumType);
  }
}

/**
 * The requests, until the caller has no more. Throws the signal's reason when the call is over before that; Connect itself would let
 * a shutdown wait for the next request.
 */
async function* untilAborted<T>(requests: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, undefined> {
  const incoming = requests[Symbol.asyncIterator]();
  let giveUp = (_: unknown) => {};
  // One listener for the whole call; it dies with the call's own signal.
  signal.addEventListener('abort', () => giveUp(signal.reason), { once: true });
  for (;;) {
    signal.throwIfAborted();
    const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
      giveUp = reject;
      incoming.next().then(resolve, reject);
    });
    if (next.done === true) return;
    yield next.value;
  }
}
