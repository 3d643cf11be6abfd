import { create } from '@bufbuild/protobuf';
import { type Payload, PayloadSchema } from '../../gen/nacos/payload_pb.ts';
import { writeJson } from '../doubles.ts';

/** The envelope of the protocol: a class by its simple name, and JSON of that class. */

/** What goes into an envelope. */
export interface Message {
  /** The simple name of the class that the body is of. */
  readonly type: string;
  /** JSON. */
  readonly body: string;
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

/** The message as it goes out. */
export function envelope({ type, body }: Message): Payload {
  return create(PayloadSchema, { metadata: { type }, body: { value: encoder.encode(body) } });
}

const encoder = new TextEncoder();
