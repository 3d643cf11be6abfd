/** Very many clients of Nacos 2.x, each over a connection of its own, set up as Java's sets it up, who may subscribe to a service. */
import { field, grpcMessage } from './grpc-frames.js';
import { Http2Connection } from './http2-connection.js';

const SET_UP_WITHIN_MS = 30_000;
const TOLD_WITHIN_MS = 60_000;
const AT_ONCE = 50;
/** A question that comes before the connection is set up is refused, and asked again. */
const AGAIN_AFTER_MS = 5;
const SETUP = {
  clientVersion: 'Nacos-Java-Client:v2.5.1',
  tenant: '',
  labels: { source: 'sdk', module: 'naming', AppName: 'unknown' },
  abilityTable: {},
};

export class Subscribers {
  #clients = [];
  #awaited = { left: 0, settle: () => {} };

  static async open(port, count) {
    const subscribers = new Subscribers();
    for (let i = 0; i < count; i += AT_ONCE)
      await Promise.all(
        Array.from({ length: Math.min(AT_ONCE, count - i) }, async () => {
          subscribers.#clients.push(await NacosClient.open(port, () => subscribers.#pushed()));
        }),
      );
    return subscribers;
  }

  async subscribe(service) {
    const body = { namespace: 'public', serviceName: service, groupName: 'DEFAULT_GROUP', subscribe: true, clusters: '' };
    await Promise.all(this.#clients.map((client) => client.ask('SubscribeServiceRequest', body)));
  }

  /** Resolves with the time at which the last of them was pushed something from now on. */
  pushed() {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${this.#awaited.left} subscribers were not told`)), TOLD_WITHIN_MS);
      const settle = () => {
        clearTimeout(late);
        resolve(performance.now());
      };
      this.#awaited = { left: this.#clients.length, settle };
    });
  }

  #pushed() {
    if (--this.#awaited.left === 0) this.#awaited.settle();
  }

  close() {
    for (const client of this.#clients) client.close();
  }
}

class NacosClient {
  #connection;
  #stream;
  #onPush;
  #answers = new Map();

  constructor(connection, onPush) {
    this.#connection = connection;
    this.#onPush = onPush;
    connection.onMessage = (stream, bytes) => this.#heard(stream, bytes);
    connection.onEnd = (stream) => this.#answered(stream, '');
    this.#stream = connection.call('/BiRequestStream/requestBiStream', payload('ConnectionSetupRequest', SETUP), { more: true });
  }

  static async open(port, onPush) {
    const client = new NacosClient(await Http2Connection.open(port), onPush);
    await client.ask('HealthCheckRequest', {});
    return client;
  }

  async ask(type, body) {
    const until = performance.now() + SET_UP_WITHIN_MS;
    while (performance.now() < until) {
      const answer = await new Promise((resolve) => {
        this.#answers.set(this.#connection.call('/Request/request', payload(type, body)), resolve);
      });
      if (answer.includes('"resultCode":200')) return;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
    }
    throw new Error(`${type} was not answered with success`);
  }

  #heard(stream, bytes) {
    const text = bytes.toString('latin1');
    if (this.#answered(stream, text)) return;
    const [, type] = /(\w+Request)/.exec(text) ?? [];
    const [, requestId] = /"requestId":"([^"]*)"/.exec(text) ?? [];
    if (type === undefined || requestId === undefined) return;
    this.#connection.say(
      this.#stream,
      payload(type.replace('Request', 'Response'), { resultCode: 200, errorCode: 0, requestId }),
    );
    if (type === 'NotifySubscriberRequest') this.#onPush();
  }

  /** A call that ends without a word is answered with none. */
  #answered(stream, text) {
    const settle = this.#answers.get(stream);
    this.#answers.delete(stream);
    settle?.(text);
    return settle !== undefined;
  }

  close() {
    this.#connection.close();
  }
}

/** JSON in the envelope: metadata (2) with the type (3) and the client's address (8), and a body (3) that holds the text (2). */
function payload(type, body) {
  const metadata = Buffer.concat([field(3, type), field(8, '127.0.0.1')]);
  return grpcMessage(Buffer.concat([field(2, metadata), field(3, field(2, JSON.stringify(body)))]));
}
