import { ServerResponse } from 'node:http';
import { hasNoBody, headerOf, isHttp2, type Request, type Response } from './exchange.ts';
import { TURN } from './turn.ts';

/** The only place that writes answers, the same over HTTP/1.1 and HTTP/2. */

export function answerText(res: Response, status: number, text: string): void {
  answer(res, status, 'text/plain;charset=UTF-8', text);
}

/** JSON and the end of its line, for whoever reads it in a terminal. */
export function answerJson(res: Response, status: number, value: object): void {
  answer(res, status, 'application/json', `${JSON.stringify(value)}\n`);
}

/**
 * A whole body; `headers` win over what it would say itself. Does nothing where an answer has begun, or nobody waits for one. `bytes`:
 * how long the body is, where that is known.
 */
export function answer(
  res: Response,
  status: number,
  contentType: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = NO_HEADERS,
  bytes = Buffer.byteLength(body),
): void {
  if (res.headersSent || res.destroyed) return;
  if (res instanceof ServerResponse && headers === NO_HEADERS) {
    // At once, as Node keeps no table of headers then. A text of ASCII alone is copied and not encoded if it is said to be Latin 1.
    res.writeHead(status, ['Content-Type', contentType, 'Content-Length', String(bytes)]);
    TURN.end(res, body, bytes === body.length ? 'latin1' : 'utf8');
    return;
  }
  res.statusCode = status;
  res.setHeader('Content-Type', contentType);
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.setHeader('Content-Length', bytes);
  res.end(body);
}

/**
 * A whole body that is too long to be written at once: no piece before the one ahead of it has left, and others have their turn in
 * between. `soon`: as of the scheduler. Never rejects: whoever leaves before the end wants no more of it.
 */
export async function answerInPieces(
  res: Response,
  status: number,
  contentType: string,
  { pieces, bytes }: BodyInPieces,
  soon: (run: () => void) => void,
): Promise<void> {
  if (res.headersSent || res.destroyed) return;
  res.statusCode = status;
  res.setHeader('Content-Type', contentType);
  res.setHeader('Content-Length', bytes);
  // As in `answer`: what is ASCII alone need not be encoded.
  const encoding = bytes === pieces.reduce((sum, piece) => sum + piece.length, 0) ? 'latin1' : 'utf8';
  try {
    if (res.req.method !== 'HEAD')
      for (const [i, piece] of pieces.entries()) {
        await written(res, piece, encoding);
        if (i % PIECES_IN_A_TURN === PIECES_IN_A_TURN - 1) await new Promise<void>(soon);
      }
    res.end();
  } catch (error) {
    if (!(error instanceof ConnectionClosed)) throw error;
  }
}

export interface BodyInPieces {
  readonly pieces: readonly string[];
  /** How long they are together, in UTF-8. */
  readonly bytes: number;
}

/** As long as the peer takes them at once, the loop would not come round. */
const PIECES_IN_A_TURN = 8;

const NO_HEADERS: Readonly<Record<string, string>> = {};

/** A gRPC status and no message. */
export function answerGrpcStatus(res: Response, status: number, message: string): void {
  if (res.headersSent || res.destroyed) return;
  res.statusCode = 200;
  res.setHeader('Content-Type', grpcTypeFor(res.req));
  res.setHeader('grpc-status', String(status));
  res.setHeader('grpc-message', percentEncoded(message));
  res.end();
}

/** Who asks in gRPC-Web or JSON takes no answer in another dress: connect-go makes an error of its own of it. */
function grpcTypeFor(req: Request): string {
  const [type = 'application/grpc'] =
    /^application\/grpc(-web(-text)?)?(\+json)?(?=[+;]|$)/i.exec(headerOf(req, 'content-type')) ?? [];
  return type.toLowerCase();
}

/** One gRPC message, given in its frame, and status 0. */
export function answerGrpcMessage(res: Response, frame: Buffer): void {
  if (res.headersSent || res.destroyed) return;
  res.statusCode = 200;
  res.setHeader('Content-Type', 'application/grpc');
  res.addTrailers({ 'grpc-status': '0' });
  res.end(frame);
}

/** Resolves when the chunk has left for the peer, and rejects with `ConnectionClosed` when it never will. */
export function written(res: Response, chunk: Uint8Array | string, encoding: 'latin1' | 'utf8' = 'utf8'): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new ConnectionClosed());
    if (res.destroyed) {
      onClose();
      return;
    }
    res.once('close', onClose);
    res.write(chunk, encoding, (error) => {
      res.off('close', onClose);
      if (error) reject(new ConnectionClosed({ cause: error }));
      else resolve();
    });
  });
}

/** The caller has gone before its answer was whole. */
export class ConnectionClosed extends Error {
  constructor(options?: ErrorOptions) {
    super('the connection was closed', options);
  }
}

/**
 * Calls `run` once the answer may be written. A pipelined request has no turn yet; should its connection end before it has one, Node
 * tells only the answer whose turn it is: a call that had been started would go on for ever.
 */
export function atItsTurn(res: Response, run: () => void): void {
  if (hasTurn(res)) run();
  else res.once('socket', run);
}

/** Whether the answer may be written: nothing that was asked before over the same connection is to be answered before it. */
export function hasTurn(res: Response): boolean {
  return !(res instanceof ServerResponse) || res.socket !== null;
}

/**
 * What has not come of the request's body is not wanted: nothing else can come over this connection, which ends with the answer. Over
 * HTTP/2 a stream does.
 */
export function abandonBody(req: Request, res: Response): void {
  if (!isHttp2(req) && !req.complete && !hasNoBody(req)) res.setHeader('Connection', 'close');
}

/** Longer ones are cut: a header is no place for a list. */
const MAX_GRPC_MESSAGE_LENGTH = 1_000;

/**
 * The text as a value of grpc-message: bytes of UTF-8, and %XX for each that is not printable ASCII. Never fails: half a surrogate
 * pair becomes the character that stands for what cannot be read.
 */
export function percentEncoded(text: string): string {
  let encoded = '';
  for (const character of text) {
    const next = /^[ -$&-~]$/.test(character) ? character : escapes(character);
    if (encoded.length + next.length > MAX_GRPC_MESSAGE_LENGTH) break;
    encoded += next;
  }
  // A blank at either end of a header is none of its value.
  return encoded.replace(/^ | $/g, '%20');
}

function escapes(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
