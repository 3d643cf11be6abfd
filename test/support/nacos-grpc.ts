import { EventEmitter, once } from 'node:events';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, type ClientDuplexStream, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { type Payload, PayloadSchema } from '../../src/gen/nacos/payload_pb.ts';

export interface Said {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON has come; the tests say what it has to be.
  readonly body: any;
}

const serialize = (payload: Payload) => Buffer.from(toBinary(PayloadSchema, payload));
const deserialize = (bytes: Buffer) => fromBinary(PayloadSchema, bytes);
const textIn = (payload: Payload) => Buffer.from(payload.body?.value ?? []).toString();

/** What goes with a body, beside its type. */
interface Envelope {
  readonly headers: Readonly<Record<string, string>>;
  readonly typeUrl?: string;
}
const ENVELOPE: Envelope = { headers: { app: 'unknown' } };

function payloadOf(type: string, body: unknown, { headers, typeUrl = '' }: Envelope): Payload {
  const value = typeof body === 'string' ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
  return create(PayloadSchema, { metadata: { type, clientIp: '10.9.9.9', headers }, body: { typeUrl, value } });
}

export function saidIn(payload: Payload): Said {
  const text = textIn(payload);
  return { type: payload.metadata?.type ?? '', body: text === '' ? undefined : JSON.parse(text) };
}

/** In PEM. */
interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** The envelope spoken by grpc-js, with nothing of a Nacos client's own mind: it answers pushes only as it is told. For `using`. */
export class NacosGrpc implements Disposable {
  readonly #client: Client;
  readonly #arrivals = new EventEmitter();
  #stream: ClientDuplexStream<Payload, Payload> | undefined;
  /** All that came over the stream. */
  readonly heard: Said[] = [];
  /** The bodies of all that came, over the stream or as answers, to the letter. */
  readonly texts: string[] = [];
  /** Whether questions of the server are answered, each as soon as it comes. */
  answering = true;
  ended = false;
  /** Goes along with every call, as proxies add some. */
  readonly metadata = new Metadata();

  /** With TLS if there is a certificate to be trusted, and with one of its own if there is. */
  constructor(address: string, trusted?: string | Buffer, own?: Pair) {
    const pair = own === undefined ? [] : [Buffer.from(own.key), Buffer.from(own.cert)];
    const how = trusted === undefined ? credentials.createInsecure() : credentials.createSsl(Buffer.from(trusted), ...pair);
    // A transport of its own, however many there are to the same address. Node 26 asks for no name that is an address.
    const called = trusted === undefined ? {} : { 'grpc.ssl_target_name_override': 'localhost' };
    this.#client = new Client(address, how, { 'grpc.use_local_subchannel_pool': 1, ...called });
    this.#arrivals.setMaxListeners(0);
  }

  /** A connection that has been set up, as a client that knows nothing of abilities does it. */
  static async connect(
    address: string,
    setup: object = {},
    ...how: readonly [trusted?: string | Buffer, own?: Pair]
  ): Promise<NacosGrpc> {
    const client = new NacosGrpc(address, ...how);
    client.open();
    client.say('ConnectionSetupRequest', { clientVersion: 'Test-Client:v1', labels: { module: 'naming' }, ...setup });
    await client.untilSetUp();
    return client;
  }

  /** The way that Rust's client finds out. */
  async untilSetUp(): Promise<void> {
    while ((await this.ask('HealthCheckRequest', {})).type !== 'HealthCheckResponse');
  }

  /** Asks, and answers what comes back. Text is sent as it is, JSON or not. */
  ask(type: string, body: unknown, envelope = ENVELOPE): Promise<Said> {
    return new Promise((resolve, reject) => {
      const answered = (error: ServiceError | null, payload?: Payload) => {
        if (error || payload === undefined) reject(error);
        else {
          this.texts.push(textIn(payload));
          resolve(saidIn(payload));
        }
      };
      const payload = payloadOf(type, body, envelope);
      this.#client.makeUnaryRequest('/Request/request', serialize, deserialize, payload, this.metadata, answered);
    });
  }

  open(): void {
    const stream = this.#client.makeBidiStreamRequest('/BiRequestStream/requestBiStream', serialize, deserialize);
    this.#stream = stream;
    stream.on('data', (payload: Payload) => {
      const said = saidIn(payload);
      this.texts.push(textIn(payload));
      this.heard.push(said);
      if (this.answering) this.answer(said);
      this.#arrivals.emit('said');
    });
    stream.on('error', () => {});
    stream.on('close', () => {});
    stream.on('end', () => this.#end());
    stream.on('status', () => this.#end());
  }

  #end(): void {
    this.ended = true;
    this.#arrivals.emit('said');
  }

  /** Over the stream. */
  say(type: string, body: unknown, envelope = ENVELOPE): void {
    this.#stream?.write(payloadOf(type, body, envelope));
  }

  answer({ type, body }: Said, resultCode = 200): void {
    if (body.requestId === undefined) return;
    this.say(type.replace('Request', 'Response'), { requestId: body.requestId, resultCode, errorCode: 0, success: true });
  }

  /** What the server has said that satisfies, past or to come. */
  async said(satisfies: (said: Said) => boolean): Promise<Said> {
    for (let next = 0; ; ) {
      for (; next < this.heard.length; next++) {
        const said = this.heard[next];
        if (said !== undefined && satisfies(said)) return said;
      }
      if (this.ended) throw new Error('the stream has ended');
      await once(this.#arrivals, 'said');
    }
  }

  /** What the server says as its message of that number, from 0; undefined if that does not come in time. */
  async saidAs(number: number, signal: AbortSignal): Promise<Said | undefined> {
    while (this.heard[number] === undefined && !this.ended && !signal.aborted)
      await once(this.#arrivals, 'said', { signal }).catch(() => {});
    return this.heard[number];
  }

  /** The list pushed last of the service, once it satisfies. */
  async pushed(service: string, satisfies: (ports: readonly number[]) => boolean): Promise<void> {
    for (;;) {
      const last = this.heard.findLast(
        ({ type, body }) => type === 'NotifySubscriberRequest' && body.serviceInfo.name === service,
      );
      if (last !== undefined && satisfies(last.body.serviceInfo.hosts.map(({ port }: { port: number }) => port))) return;
      if (this.ended) throw new Error('the stream has ended');
      await once(this.#arrivals, 'said');
    }
  }

  async end(): Promise<void> {
    while (!this.ended) await once(this.#arrivals, 'said');
  }

  /** Ends the stream in an orderly way, and leaves the transport. */
  closeStream(): void {
    this.#stream?.end();
  }

  register(service: string, port: number, more: object = {}): Promise<Said> {
    return this.ask('InstanceRequest', {
      namespace: 'public',
      serviceName: service,
      groupName: 'DEFAULT_GROUP',
      type: 'registerInstance',
      instance: { ip: '10.0.0.1', port, weight: 1, healthy: true, enabled: true, ephemeral: true, metadata: {}, ...more },
    });
  }

  subscribe(service: string, clusters = '', subscribe = true): Promise<Said> {
    const body = { namespace: 'public', serviceName: service, groupName: 'DEFAULT_GROUP', subscribe, clusters };
    return this.ask('SubscribeServiceRequest', body);
  }

  [Symbol.dispose](): void {
    this.#client.close();
    this.#stream?.cancel();
  }
}
