import { hasNoBody, headerOf, peerOf, type Request } from '../../wire/exchange.ts';
import type { HeldBodies, HeldBody } from '../../wire/held-bodies.ts';
import { RequestError } from '../errors.ts';
import { urlEncoded } from './multipart.ts';

/**
 * The form that a request has in its body, as it was sent or, of a body in parts or of JSON, written anew. At once where nothing is to
 * come, as with most beats. `Content-Encoding` is not believed: Java <= 1.3.2 says gzip over plain text on every request.
 */
export function formOf(req: Request, maxBytes: number, takesJson: boolean, bodies: HeldBodies): string | Promise<string> {
  if (hasNoBody(req)) return takesJson ? formIn(req, NOTHING, takesJson) : '';
  if (Number(headerOf(req, 'content-length')) > maxBytes) throw tooLarge(maxBytes);
  return bytesOf(req, maxBytes, bodies).then((body) => formIn(req, body, takesJson));
}

const NOTHING = Buffer.alloc(0);

function formIn(req: Request, body: Buffer, takesJson: boolean): string | Promise<string> {
  const said = headerOf(req, 'content-type');
  const type = said.toLowerCase();
  if (type.startsWith('multipart/form-data') && body.length > 0) return urlEncoded(body, said);
  if (takesJson && type.startsWith('application/json')) return new URLSearchParams({ body: body.toString() }).toString();
  // Other kinds of body carry no parameters.
  return type !== '' && !type.startsWith('application/x-www-form-urlencoded') ? '' : body.toString();
}

/** Rejects when it is too long, and when it never comes to an end. The request is left as it is then: the refusal goes out over it. */
function bytesOf(req: Request, maxBytes: number, bodies: HeldBodies): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    // Nearly all are short, and whole at once.
    let held: HeldBody | undefined;
    const mayHold = () => {
      if (bytes <= UNCOUNTED_BYTES) return true;
      held ??= bodies.of(peerOf(req), () => refuse(TOO_MUCH));
      return held.hold(bytes);
    };
    const refuse = (error: RequestError) => {
      req.off('data', onData);
      req.pause();
      chunks.length = 0;
      held?.hold(0);
      reject(error);
    };
    // Nobody has set an encoding on the request, so that it gives bytes.
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > maxBytes) refuse(tooLarge(maxBytes));
      else if (!mayHold()) refuse(TOO_MUCH);
    };
    const onEnd = () => {
      letGo();
      resolve(chunks.length === 1 ? (chunks[0] ?? NOTHING) : Buffer.concat(chunks, bytes));
    };
    const onClose = () => {
      letGo();
      reject(new Error('the request ended before its body'));
    };
    // A request may wait for minutes to be answered, and is not to keep by its listeners what it brought.
    const letGo = () => {
      held?.hold(0);
      req.off('data', onData).off('end', onEnd).off('close', onClose).off('error', reject).on('error', ignored);
    };
    req.on('data', onData).on('end', onEnd).on('close', onClose).on('error', reject);
  });
}

/** Whoever reads no more is not interested; an error that nobody hears ends the process. */
function ignored(): void {}

/** So much of each is not counted. */
const UNCOUNTED_BYTES = 4_096;

/** Whether the form may say anything at all, JSON aside. */
export function mayHaveForm(req: Request): boolean {
  return /^($|application\/x-www-form-urlencoded|multipart\/form-data)/i.test(headerOf(req, 'content-type'));
}

/** Whether it may have a body of which it is worth knowing before that comes whether it is wanted. */
export function mayBeLong(req: Request): boolean {
  return !hasNoBody(req) && !(Number(headerOf(req, 'content-length') || Number.NaN) <= UNCOUNTED_BYTES);
}

const TOO_MUCH = new RequestError('too-many-bytes', 'too much is on its way that is not whole: send it again later');

function tooLarge(maxBytes: number): RequestError {
  return new RequestError('too-large', `the body must not exceed ${maxBytes} bytes`);
}
