import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Socket } from 'node:net';
import { type CheckKind, isReservedHeader } from '../registry/checks.ts';
import { CheckError } from './check.ts';
import { type Dial, hostText } from './dial.ts';
import { secured } from './tls.ts';

type Undici = typeof import('undici');
type HttpCheck = Extract<CheckKind, { type: 'http' }>;

/** In bytes, of all headers of an answer. */
const MAX_HEAD = 16 * 1024;

/** One GET on a connection of its own. The status decides, whatever follows it: no body is read, no redirect followed. */
export async function checkHttp(
  check: HttpCheck,
  ip: string,
  port: number,
  dial: Dial,
  signal: AbortSignal,
  ca: string | undefined,
): Promise<void> {
  // Loaded when the first such check is made, and before it dials: 20 MB that most registries never need.
  const undici = await import('undici');
  const plain = await dial(ip, port, signal);
  const socket = check.tls ? await secured(plain, ip, { verify: check.verify, protocol: 'http/1.1', ca }) : plain;
  const host = hostText(ip) + (port === (check.tls ? 443 : 80) ? '' : `:${port}`);
  const headers = ['host', host, ...headersOf(check.headers)];
  judge(await statusOf(undici, socket, requestTarget(check.path), headers), check.expectedResponseCode);
}

function judge(status: number, expected: number): void {
  if (status === expected) return;
  if (status >= 300 && status < 400) throw new CheckError('redirected', 'slow');
  throw new CheckError('unexpected status', status === 503 ? 'slow' : 'at-once');
}

async function statusOf({ Client, errors }: Undici, socket: Socket, path: string, headers: string[]): Promise<number> {
  const client = new Client('http://instance', {
    // Not at once: undici would not look again whether there is something to send.
    connect: (_options, callback) => queueMicrotask(() => callback(null, socket)),
    pipelining: 0,
    maxHeaderSize: MAX_HEAD,
    // How long all of it may take is the caller's to say.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    return await new Promise<number>((resolve, reject) => {
      client.dispatch(
        { method: 'GET', path, headers },
        {
          onRequestStart() {},
          onResponseStart(controller, status) {
            // What comes before an answer is none.
            if (status < 200) return;
            resolve(status);
            controller.abort(ENOUGH);
          },
          onResponseError: (_controller, error) => error !== ENOUGH && reject(troubleOf(error, errors)),
        },
      );
    });
  } finally {
    socket.destroy();
    await client.destroy(ENOUGH);
  }
}

/** The status is known. Made once: of each check it would cost more than the request. */
const ENOUGH = new Error('the rest of the answer is not read');

function troubleOf(error: Error, errors: Undici['errors']): CheckError {
  if (error instanceof errors.HTTPParserError || error instanceof errors.HeadersOverflowError)
    return new CheckError('not HTTP', 'at-once');
  if (error instanceof errors.InvalidArgumentError) return new CheckError('check failed', 'impossible');
  return error instanceof CheckError ? error : new CheckError('connection ended', 'counted');
}

/** What stands in the request line: what may not stand there in percent form, and never a fragment. */
function requestTarget(path: string): string {
  const [target = ''] = path.split('#', 1);
  const safe = target.replace(/[^\x21-\x7e]+/g, (text) =>
    Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
  return safe.startsWith('/') ? safe : `/${safe}`;
}

/** `NAME:VALUE|NAME:VALUE`, as a flat list. What has no colon or several is ignored, as Nacos does, and so is what may not be set. */
function headersOf(text: string): string[] {
  const set = text.split('|').flatMap((entry) => {
    const [name = '', value, ...rest] = entry.split(':').map((part) => part.trim());
    return value !== undefined && rest.length === 0 && maySet(name, value) ? [[name, value]] : [];
  });
  const hasAgent = set.some(([name]) => name?.toLowerCase() === 'user-agent');
  return [...(hasAgent ? [] : ['user-agent', 'beatbridge']), ...set.flat()];
}

function maySet(name: string, value: string): boolean {
  if (isReservedHeader(name)) return false;
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}
