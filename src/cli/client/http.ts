import { type IncomingMessage, request } from 'node:http';
import { systemScheduler } from '../../wire/scheduler.ts';
import { dial } from './dial.ts';
import { CallError, oneLine, reasonOf, UnreachableError } from './failures.ts';
import type { Target } from './target.ts';

/**
 * One call over HTTP, on a connection of its own: a command makes one or a few. Node's own client, since a package would take longer to
 * load than a call takes.
 */

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root, escaped, without a query. */
  readonly path: string;
  /** Those that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends it, and what is being read of it. */
  readonly signal?: AbortSignal;
  /** What it answers goes on for ever: only its beginning has to come in time. */
  readonly isEndless?: true;
}

export interface HttpAnswer {
  readonly status: number;
  /** Where else it is to be asked, as it says. */
  readonly location: string | undefined;
  /** When it was written, as the server has it. */
  readonly date: string | undefined;
  /** The rest of it, as text. Rejects with `CallError`. */
  readonly text: () => Promise<string>;
  /** Line by line, as they come, without their ends. Throws `CallError`. */
  readonly lines: () => AsyncGenerator<string, void>;
}

/** Streams say something every 15 s, be it that there is nothing: what says nothing for longer has gone without a word. */
const SILENT_MS = 45_000;
const MAX_TEXT = 64 * 1024 * 1024;
const MAX_LINE = 4 * 1024 * 1024;

/** Whatever the status is. Rejects with `UnreachableError` and `CallError`. */
export async function ask(target: Target, call: HttpCall): Promise<HttpAnswer> {
  const socket = await dial(target, 'http/1.1');
  const { addr, rpcTimeoutMs } = target;
  const query = queryOf(call.query);
  const res = await new Promise<IncomingMessage>((resolve, reject) => {
    const req = request({
      createConnection: () => socket,
      method: call.method,
      path: `${call.path}${query === '' ? '' : `?${query}`}`,
      headers: {
        host: 'path' in target.where ? 'localhost' : addr.replace(/^\w+:\/\/\/?/, '').replace(/\/$/, ''),
        'user-agent': target.userAgent,
        connection: 'close',
        ...(target.authorization !== undefined && { authorization: target.authorization }),
        ...call.headers,
      },
      ...(call.signal && { signal: call.signal }),
    });
    let answered: IncomingMessage | undefined;
    const tooLate = (ms: number) => (answered ?? req).destroy(new CallError(`${addr} has not answered within ${ms} ms`));
    const cancel = systemScheduler.after(rpcTimeoutMs, () => tooLate(rpcTimeoutMs));
    req.once('response', (answer) => {
      answered = answer;
      if (call.isEndless) {
        cancel();
        socket.setTimeout(SILENT_MS, () => tooLate(SILENT_MS));
      } else answer.once('close', cancel);
      resolve(answer);
    });
    req.on('error', (error) => {
      cancel();
      reject(failureOf(target, error));
    });
    req.end();
  });
  return {
    status: res.statusCode ?? 0,
    location: res.headers.location,
    date: res.headers.date,
    text: () => textOf(target, res),
    lines: () => linesOf(target, res),
  };
}

/** What it answers, as text, where it answers 2xx. Rejects with `CallError`, with what it says of the reason. */
export async function textFrom(target: Target, call: HttpCall): Promise<string> {
  const answer = await ask(target, call);
  const text = await answer.text();
  if (answer.status < 200 || answer.status > 299) throw refusalOf(target, call, answer, text);
  return text;
}

/** The same of JSON. */
export async function jsonFrom(target: Target, call: HttpCall): Promise<unknown> {
  return parsedJson(target, await textFrom(target, call));
}

/** Line by line, of JSON, where it answers 2xx. */
export async function* jsonLinesFrom(target: Target, call: HttpCall): AsyncGenerator<unknown, void> {
  const answer = await ask(target, call);
  if (answer.status !== 200) throw refusalOf(target, call, answer, await answer.text());
  for await (const line of answer.lines()) if (line !== '') yield parsedJson(target, line);
}

/** Why a call was not done, and what to do about it. */
export function refusalOf(
  { addr }: Target,
  { method, path }: HttpCall,
  { status, location }: Pick<HttpAnswer, 'status' | 'location'>,
  text: string,
): CallError {
  const reason = reasonIn(text);
  const lasting = { isLasting: status >= 400 && status < 500 && status !== 408 && status !== 429 };
  if (status === 401) return new CallError(`${addr} wants a login (--token-file): ${reason}`, lasting);
  if (status === 403) return new CallError(`${addr} does not allow it: ${reason}`, lasting);
  if (location !== undefined && status >= 300 && status < 400)
    return new CallError(`${addr} answers ${status}, and leads to ${oneLine(location)}: ask that one (--addr)`, {
      isLasting: true,
    });
  const isUnknown = status === 404 && (reason === '' || reason === 'not found');
  if (isUnknown)
    return new CallError(
      `${addr} knows no ${method} ${path}: it is no beatbridge, an older one, or a port for health only`,
      lasting,
    );
  return new CallError(`${addr} answers ${status}: ${reason}`, lasting);
}

function parsedJson({ addr }: Target, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CallError(`${addr} does not answer in JSON: ${JSON.stringify(oneLine(text).slice(0, 100))}`);
  }
}

/** Where answers say why: as text, or in one of several fields. */
function reasonIn(text: string): string {
  try {
    const said: unknown = JSON.parse(text);
    if (typeof said === 'object' && said !== null)
      for (const field of ['reason', 'data', 'message', 'error'])
        if (field in said) {
          // Looked for a moment ago.
          const reason = (said as Readonly<Record<string, unknown>>)[field];
          if (typeof reason === 'string' && reason !== '') return oneLine(reason);
        }
  } catch {
    // Then it is text.
  }
  return oneLine(text);
}

function queryOf(params: HttpCall['query'] = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== undefined) query.set(name, String(value));
  return query.toString();
}

/** TLS 1.3 refuses a certificate only once the client takes the connection for made. */
function failureOf({ addr, tls }: Target, error: Error): Error {
  if (error instanceof CallError) return error;
  const code = 'code' in error ? String(error.code) : '';
  if (code.startsWith('ERR_SSL_')) return new UnreachableError(`${addr} cannot be reached: ${reasonOf(error)}`);
  const hint = tls === undefined ? ' (does it want --tls?)' : '';
  if (code.startsWith('HPE_')) return new UnreachableError(`${addr} does not speak HTTP${hint}: ${reasonOf(error)}`);
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return new CallError(`${addr} has closed the connection without an answer${hint}`);
  return new CallError(`${addr} could not be asked: ${reasonOf(error)}`);
}

async function textOf(target: Target, res: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of piecesOf(target, res)) {
    length += piece.length;
    if (length > MAX_TEXT) throw tooLong(target, res, MAX_TEXT);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

async function* linesOf(target: Target, res: IncomingMessage): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of piecesOf(target, res)) {
    rest += decoder.decode(piece, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE) throw tooLong(target, res, MAX_LINE);
    for (const line of lines) yield line.replace(/\r$/, '');
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

async function* piecesOf(target: Target, res: IncomingMessage): AsyncGenerator<Buffer, void> {
  try {
    for await (const piece of res) yield piece;
  } catch (error) {
    throw error instanceof CallError ? error : new CallError(`${target.addr} has ended its answer too early: ${reasonOf(error)}`);
  }
}

function tooLong({ addr }: Target, res: IncomingMessage, most: number): CallError {
  res.destroy();
  return new CallError(`${addr} answers with more than ${most} bytes at once`);
}
