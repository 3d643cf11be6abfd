import { type ConnectRouter, createContextKey } from '@connectrpc/connect';
import { BiRequestStream, Request } from '../../gen/nacos/payload_pb.ts';
import type { Admission } from '../../rights/admission.ts';
import type { Headers } from '../../wire/browser.ts';
import type { Peer } from '../../wire/exchange.ts';
import type { Refused } from '../../wire/refused.ts';
import { takesBytes } from '../agents.ts';
import { type Durability, kept } from '../durability.ts';
import { limitOf, REASONS, RequestError } from '../errors.ts';
import { type Gate, NotPermitted } from '../gate.ts';
import { readBody } from './bodies.ts';
import type { ConfigsRoom } from './configs.ts';
import type { Asker } from './connection.ts';
import {
  bytesOf,
  envelope,
  type Message,
  message,
  OK,
  refusal,
  type Said,
  ServiceInfo,
  ServiceMessage,
  saidIn,
} from './messages.ts';
import type { NamingRoom } from './naming.ts';
import { type StreamRoom, serveStream } from './stream.ts';
import { type Answering, requestTable } from './table.ts';

/**
 * The protocol of Nacos 2.x and 3.x: JSON in an envelope of protobuf, questions one by one and a stream for what the server has to
 * say. `nacosRpc` finds who answers a question, and is the one place that encodes answers and errors. It never decides over rights:
 * who asks, and with what token, is handed on.
 */
export interface NacosRpcOptions extends NamingRoom, ConfigsRoom, StreamRoom {
  readonly durability: Durability;
  readonly gate?: Gate | undefined;
  /** Where refusals for a limit are counted; nowhere when left out. */
  readonly refused?: Refused | undefined;
}

/** The transport of a call, and who is at its other end. */
export const peerKey = createContextKey<Peer>({ connection: {}, ip: '', port: 0, cut: () => {} });
/** The header of the request that a call came in. */
export const headersKey = createContextKey<Headers>({});

/** Serves the protocol's two services. */
export function nacosRpc(router: ConnectRouter, options: NacosRpcOptions): void {
  const answerTo = answerer(options, requestTable(options));
  router.service(Request, {
    request: async (payload, { values }) =>
      envelope(await answerTo(saidIn(payload), values.get(peerKey), values.get(headersKey))),
  });
  router.service(BiRequestStream, {
    requestBiStream: (requests, { values, signal }) => serveStream(options, requests, { peer: values.get(peerKey), signal }),
  });
}

/** Answers one question after the other, those of the connection itself and those of the table. */
export function answerer({ connections, durability, gate, log, refused }: AnswererRoom, table: ReadonlyMap<string, Answering>) {
  return answerTo;

  // The order of these checks is Nacos's: clients act on what is found first.
  function answerTo(said: Said, peer: Peer, came: Headers = NO_HEADERS): Message | Promise<Message> {
    const { type: asked, headers, body: bytes } = said;
    const connection = connections.heard(peer);
    if (asked === 'ServerCheckRequest') return serverCheck(connections.idOf(peer));
    // Not 301: to Go's and Python's clients that is a server in good health, and they would never set the connection up again.
    if (asked === 'HealthCheckRequest') return connection ? message('HealthCheckResponse', OK) : refusal(500, UNREGISTERED);
    const answering = table.get(asked);
    if (answering === undefined) return refusal(302, 'RequestHandler Not Found');
    if (connection === undefined) return refusal(301, UNREGISTERED);
    const agent = connection.clientVersion;
    const admission = gate?.admitOverGrpc(answering.need, peer, { headers: came, payload: headers, agent, example: asked });
    const asker = { connection, by: connection.by, headers };
    if (!(admission instanceof Promise)) return admitted(answering, bytes, asker, admission);
    return admission.then((later) => admitted(answering, bytes, asker, later)).catch((error) => failed(answering, error));
  }

  function admitted(answering: Answering, bytes: Uint8Array, asker: Asker, admission: Admission | undefined) {
    if (admission?.isRefusal) return failed(answering, new NotPermitted(admission));
    asker.connection.rights.brought(admission);
    const user = admission?.user;
    const by = user === undefined ? asker.by : { ...asker.by, user };
    return answered(answering, bytes, { ...asker, by, permit: admission });
  }

  /** Failures are of the answer's own class: an ErrorResponse is an ill connection to clients, and makes them start anew. */
  function answered(answering: Answering, bytes: Uint8Array, asker: Asker): Message | Promise<Message> {
    try {
      const body = readBody(bytes, answering.limits);
      if (body === undefined) return refusal(502, 'the body must be a JSON object');
      const result = kept(durability, () => answering.from(body, asker));
      if (!(result instanceof Promise)) return success(answering, result, asker);
      return result.then((late) => success(answering, late, asker)).catch((error) => failed(answering, error));
    } catch (error) {
      return failed(answering, error);
    }
  }

  function success({ answer }: Answering, result: object | ServiceInfo, asker: Asker): Message {
    const said =
      result instanceof ServiceInfo ? new ServiceMessage(answer, SUCCESS, result) : message(answer, { ...OK, ...result });
    const bytes = bytesOf(said);
    const taken = takesBytes(asker.connection.clientVersion);
    if (bytes > taken) throw new RequestError('too-large', `the answer has ${bytes} bytes, and the client takes ${taken}`);
    return said;
  }

  function failed(answering: Answering, error: unknown): Message {
    const limit = error instanceof RequestError ? limitOf(error) : undefined;
    if (limit !== undefined) refused?.count(limit);
    if (!(error instanceof RequestError)) log.error({ err: error, answer: answering.answer }, 'nacos request failed');
    return failure(answering, error);
  }
}

function serverCheck(connectionId: string): Message {
  return message('ServerCheckResponse', { ...OK, connectionId, supportAbilityNegotiation: true });
}

function failure({ answer, failure: fields }: Answering, error: unknown): Message {
  const errorCode = error instanceof RequestError ? REASONS[error.reason].grpc : 500;
  const text = error instanceof RequestError ? error.message : 'internal error';
  return message(answer, { ...fields, resultCode: 500, errorCode, message: text, success: false });
}

type AnswererRoom = Pick<NacosRpcOptions, 'connections' | 'durability' | 'gate' | 'log' | 'refused'>;

/** Before the service that an answer ends with. */
const SUCCESS = JSON.stringify({ ...OK, message: 'success' });
/** Whatever a proxy has marked comes the usual way: the lane hands on none. */
const NO_HEADERS: Headers = {};
const UNREGISTERED = 'Connection is unregistered.';
