import { create } from '@bufbuild/protobuf';
import { type ConnectRouter, createContextKey, type HandlerContext } from '@connectrpc/connect';
import type { Logger } from 'pino';
import { BiRequestStream, type Payload, PayloadSchema, Request } from '../gen/nacos/payload_pb.ts';
import { readBody, setupOf } from './bodies.ts';
import { configCalls } from './configs.ts';
import type { Connection, Connections, Message, Peer } from './connections.ts';
import type { NacosRoom } from './instances.ts';
import { namingCalls } from './naming.ts';
import type { JsonObject } from './params.ts';
import { REASONS, type Reason, RequestError } from './request-error.ts';

/**
 * The protocol of Nacos 2.x and 3.x: JSON in an envelope of protobuf, questions one by one and a stream for what the server has to
 * say. `nacosRpc` finds who answers a question, and is the one place that encodes answers and errors. No field of an answer is ever
 * null: Python's client cannot read that.
 */
export interface NacosRpcOptions extends NacosRoom {
  readonly log: Logger;
}

/** Who asks. */
export const peerKey = createContextKey<Peer>({ transport: {}, ip: '', port: 0, cut: () => {} });

/** An object gets its codes; text is JSON that has them. */
type Call = (body: JsonObject, connection: Connection) => object | string;

interface Answering {
  /** The class that the client expects; the older ones of Java throw on another, and Go's panics. */
  readonly answer: string;
  readonly call: Call;
  /** What a failure must have too, because some client cannot do without. */
  readonly failure?: object;
}

/** Every question that a connection may ask, by the class of its body. */
export function requestTable({ registry, subscribers, configs }: NacosRoom): ReadonlyMap<string, Answering> {
  const naming = namingCalls(registry, subscribers);
  const config = configCalls(configs);
  return new Map<string, Answering>([
    ['InstanceRequest', { answer: 'InstanceResponse', call: naming.instance }],
    ['BatchInstanceRequest', { answer: 'BatchInstanceResponse', call: naming.batch }],
    ['PersistentInstanceRequest', { answer: 'InstanceResponse', call: naming.persistent }],
    ['SubscribeServiceRequest', { answer: 'SubscribeServiceResponse', call: naming.subscribe, failure: NO_SERVICE }],
    ['ServiceQueryRequest', { answer: 'QueryServiceResponse', call: naming.query, failure: NO_SERVICE }],
    ['ServiceListRequest', { answer: 'ServiceListResponse', call: naming.list, failure: { count: 0, serviceNames: [] } }],
    ['ConfigQueryRequest', { answer: 'ConfigQueryResponse', call: config.query, failure: { lastModified: 0, beta: false } }],
    ['ConfigPublishRequest', { answer: 'ConfigPublishResponse', call: config.publish }],
    ['ConfigRemoveRequest', { answer: 'ConfigRemoveResponse', call: config.remove }],
    [
      'ConfigBatchListenRequest',
      { answer: 'ConfigChangeBatchListenResponse', call: config.listen, failure: { changedConfigs: [] } },
    ],
  ]);
}

/** No client does without a list, though it be nobody's. */
const NO_SERVICE = {
  serviceInfo: {
    name: '',
    groupName: '',
    clusters: '',
    cacheMillis: 10_000,
    hosts: [],
    lastRefTime: 0,
    checksum: '',
    reachProtectionThreshold: false,
  },
};

/** Serves the protocol's two services. */
export function nacosRpc(router: ConnectRouter, options: NacosRpcOptions): void {
  const { connections, log } = options;
  const table = requestTable(options);

  router.service(Request, {
    request(payload, { values }) {
      const { type, body } = answerTo(payload, values.get(peerKey));
      return envelope(type, body);
    },
  });
  router.service(BiRequestStream, {
    requestBiStream: (requests, context) => serveStream({ connections, log }, requests, context),
  });

  // The order of these checks is Nacos's: clients act on what is found first.
  function answerTo(payload: Payload, peer: Peer): Message {
    const asked = payload.metadata?.type ?? '';
    const connection = connections.heard(peer);
    if (asked === 'ServerCheckRequest') {
      const answer = { ...OK, connectionId: connections.idOf(peer), supportAbilityNegotiation: true };
      return message('ServerCheckResponse', answer);
    }
    if (asked === 'HealthCheckRequest') {
      // Not 301: to Go's and Python's clients that is a server in good health, and they would never set the connection up again.
      return connection ? message('HealthCheckResponse', OK) : refusal(500, UNREGISTERED);
    }
    const answering = table.get(asked);
    if (answering === undefined) return refusal(302, 'RequestHandler Not Found');
    if (connection === undefined) return refusal(301, UNREGISTERED);
    const body = readBody(payload.body?.value ?? new Uint8Array());
    if (body === undefined) return refusal(502, 'the body must be a JSON object');
    return called(answering, body, connection);
  }

  /** Failures are of the answer's own class: an ErrorResponse is an ill connection to clients, and makes them start anew. */
  function called({ answer, call, failure }: Answering, body: JsonObject, connection: Connection): Message {
    try {
      const result = call(body, connection);
      return typeof result === 'string' ? { type: answer, body: result } : message(answer, { ...OK, ...result });
    } catch (error) {
      if (!(error instanceof RequestError)) log.error({ err: error, answer }, 'nacos request failed');
      const errorCode = error instanceof RequestError ? codeOf(error) : 500;
      const text = error instanceof RequestError ? error.message : 'internal error';
      return message(answer, { ...failure, resultCode: 500, errorCode, message: text, success: false });
    }
  }
}

/** Clients are told, and tell, by number what HTTP tells by status. */
function codeOf({ reason }: RequestError): number {
  return CODES[reason] ?? REASONS[reason].status;
}

/** Where Nacos has another code than HTTP. */
const CODES: Partial<Record<Reason, number>> = { 'too-many': 503, 'config-unknown': 300, conflict: 500 };

const OK = { resultCode: 200, errorCode: 0, success: true } as const;
const UNREGISTERED = 'Connection is unregistered.';

/** What is offered to clients that ask what they may use. */
const ABILITIES = { supportPersistentInstanceByGrpc: true };

function message(type: string, fields: object): Message {
  return { type, body: JSON.stringify(fields) };
}

function refusal(errorCode: number, text: string): Message {
  return message('ErrorResponse', { resultCode: 500, errorCode, message: text, success: false });
}

function envelope(type: string, body: string): Payload {
  return create(PayloadSchema, { metadata: { type }, body: { value: encoder.encode(body) } });
}

/** The stream of a connection: the client sets it up and answers, the server asks and pushes. Its end is the connection's. */
async function* serveStream(
  { connections, log }: { readonly connections: Connections; readonly log: Logger },
  requests: AsyncIterable<Payload>,
  { values, signal }: HandlerContext,
): AsyncGenerator<Payload> {
  const peer = values.get(peerKey);
  let wake = () => {};
  let connection: Connection | undefined;
  let finished = false;
  const finish = (reason: string) => {
    finished = true;
    if (connection !== undefined) connections.end(connection, reason);
    wake();
  };
  signal.addEventListener('abort', () => wake(), { once: true });
  connections.heard(peer);

  const receive = (payload: Payload) => {
    // It has ended, and something was still on its way.
    if (finished) return;
    const type = payload.metadata?.type ?? '';
    const body = readBody(payload.body?.value ?? new Uint8Array());
    if (type !== 'ConnectionSetupRequest') {
      const heard = connections.heard(peer);
      if (typeof body?.requestId === 'string') heard?.answered(body.requestId, body.resultCode === 200);
      return;
    }
    // A second time it changes nothing, be it over this stream or another.
    if (connections.heard(peer) !== undefined) return;
    const setup = body && setupOf(body);
    connection = setup && connections.setUp(peer, setup, () => wake());
    if (connection === undefined) peer.cut();
    else if (setup?.negotiates) connection.send(() => message('SetupAckRequest', SETUP_ACK));
  };
  const read = async () => {
    for await (const payload of requests) {
      try {
        receive(payload);
      } catch (err) {
        log.error({ err }, 'nacos stream failed');
        peer.cut();
      }
    }
  };
  void read().then(
    () => finish('the client has closed its stream'),
    () => finish('the stream has broken'),
  );

  try {
    for (;;) {
      const next = connection?.take();
      if (next !== undefined) {
        yield envelope(next.type, next.body);
        continue;
      }
      // The reason says how the stream ends: unavailable when the server goes.
      signal.throwIfAborted();
      if (finished || connection?.ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    finish('the stream has ended');
  }
}

const encoder = new TextEncoder();
const SETUP_ACK = { headers: {}, module: 'internal', abilityTable: ABILITIES };
