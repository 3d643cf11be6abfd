import { hasNoBody, headerOf, type Request } from '../../wire/exchange.ts';
import type { HeldBodies } from '../../wire/held-bodies.ts';
import { UNCOUNTED_BYTES, wholeBody } from '../../wire/whole-body.ts';
import { RequestError } from '../errors.ts';
import { urlEncoded } from './multipart.ts';

/**
 * The form that a request has in its body, as it was sent or, of a body in parts or of JSON, written anew. At once where nothing is to
 * come, as with most beats. `Content-Encoding` is not believed: Java <= 1.3.2 says gzip over plain text on every request.
 */
export function formOf(req: Request, maxBytes: number, takesJson: boolean, bodies: HeldBodies): string | Promise<string> {
  if (hasNoBody(req)) return takesJson ? formIn(req, NOTHING, takesJson) : '';
  if (Number(headerOf(req, 'content-length')) > maxBytes) throw tooLarge(maxBytes);
  const refusals = { tooLarge: () => tooLarge(maxBytes), tooMuch: () => TOO_MUCH };
  return wholeBody(req, { maxBytes, bodies, ...refusals }).then((body) => formIn(req, body, takesJson));
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
