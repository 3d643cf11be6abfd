import { create } from '@bufbuild/protobuf';
import { type Payload, PayloadSchema } from '../../gen/nacos/payload_pb.ts';
import { writeJson } from '../doubles.ts';

/** What is said in the protocol: a class by its simple name, and JSON of that class. How it stands in an envelope is `frames.ts`'s. */

/** What goes into an envelope. */
export interface Message {
  /** The simple name of the class that the body is of. */
  readonly type: string;
  /** JSON. */
  readonly body: string;
}

/** A service with its instances as it ends a message: made once for all messages that it ends. */
export class ServiceInfo {
  /** Its JSON, and the brace that ends the message. */
  readonly ending: Buffer;

  /** `json`: in any number of pieces. */
  constructor(...json: readonly string[]) {
    const last = json.length - 1;
    this.ending =
      last > 0
        ? Buffer.concat(json.map((piece, i) => Buffer.from(i === last ? `${piece}}` : piece)))
        : Buffer.from(`${json[0] ?? ''}}`);
  }

  /** How long its JSON is. */
  get length(): number {
    return this.ending.length - 1;
  }

  toString(): string {
    return this.ending.toString('utf8', 0, this.length);
  }
}

/** A message that a service ends. */
export class ServiceMessage implements Message {
  readonly type: string;
  readonly service: ServiceInfo;
  /** The JSON before that. */
  readonly start: string;

  /** `fields`: JSON of an object, which has the service as one more. */
  constructor(type: string, fields: string, service: ServiceInfo) {
    this.type = type;
    this.start = `${fields.slice(0, -1)},"serviceInfo":`;
    this.service = service;
  }

  get body(): string {
    return this.start + this.service.ending.toString();
  }
}

/** How long the body is, in UTF-8. */
export function bytesOf(message: Message): number {
  if (message instanceof ServiceMessage) return Buffer.byteLength(message.start) + message.service.ending.length;
  return Buffer.byteLength(message.body);
}

/** The start of every answer that is none of a failure. */
export const OK = { resultCode: 200, errorCode: 0, success: true } as const;

/** A message of these fields. No field may be null: Python's client cannot read that. */
export function message(type: string, fields: object): Message {
  return { type, body: writeJson(fields) };
}

/** The connection itself is at fault, or the question is none: clients take this for an ill connection, and start anew. */
export function refusal(errorCode: number, text: string): Message {
  return message('ErrorResponse', { resultCode: 500, errorCode, message: text, success: false });
}

/** The message as it goes out by way of Connect. */
export function envelope({ type, body }: Message): Payload {
  return create(PayloadSchema, { metadata: { type }, body: { value: encoder.encode(body) } });
}

const encoder = new TextEncoder();

/** What comes in an envelope. */
export interface Said {
  readonly type: string;
  /** What accompanies it, such as the token of a login. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, if it is as it should be. */
  readonly body: Uint8Array;
}

/** What has come by way of Connect. */
export function saidIn({ metadata, body }: Payload): Said {
  return { type: metadata?.type ?? '', headers: metadata?.headers ?? {}, body: body?.value ?? NOTHING };
}

const NOTHING = new Uint8Array(0);
