import { type CheckKind, isReservedHeader } from '../../registry/checks.ts';
import { RequestError, shown } from '../errors.ts';
import { isObject, type JsonObject, parseJson, scalar, truth } from '../json.ts';
import { type ClusterSettings, DEFAULT_CLUSTER, usesCheckPort } from '../settings.ts';
import { type Params, readMetadata, required } from './params.ts';

/**
 * What a request says of how a cluster is checked -> settings. What could only be a mistake is refused: a check that is not made as it
 * was meant would call an instance healthy that is not.
 */

/** What a request says of a cluster. */
export function readClusterSettings(params: Params): ClusterSettings {
  const text = required(params, 'checkPort', 'Integer');
  const checkPort = Number(text);
  if (!/^\d{1,5}$/.test(text) || checkPort > 65_535) fail(`checkPort must be 0..65535, got ${shown(text)}`);
  const useInstancePort = truth(required(params, 'useInstancePort4Check')) ?? DEFAULT_CLUSTER.useInstancePort;
  const check = readCheck(required(params, 'healthChecker'));
  if (checkPort === 0 && !useInstancePort && usesCheckPort(check))
    fail('checkPort must be 1..65535 where useInstancePort4Check is false, got 0');
  return { checkPort, useInstancePort, check, metadata: readMetadata(params) ?? {} };
}

/** Keys that its type does not know are not looked at: consoles send what they have. */
function readCheck(text: string): CheckKind {
  const json = parseJson(text);
  if (!isObject(json)) fail(`healthChecker must be a JSON object, got ${shown(text)}`);
  const type = scalar(json, 'type') ?? '';
  const read = READERS.get(type.toUpperCase());
  // Nacos reads an unknown type as NONE.
  if (read === undefined) fail(`the type of healthChecker must be ${[...READERS.keys()].join(', ')}, got "${shown(type)}"`);
  return read(json);
}

const READERS: ReadonlyMap<string, (json: JsonObject) => CheckKind> = new Map([
  ['TCP', () => ({ type: 'tcp' })],
  ['HTTP', (json) => readHttp(json, readFlag(json, 'tls') ?? false)],
  ['HTTPS', readHttps],
  ['MYSQL', readMysql],
  ['GRPC', readGrpc],
  ['NONE', () => ({ type: 'none' })],
]);

function readHttp(json: JsonObject, tls: boolean): CheckKind {
  const path = readText(json, 'path', 1_024);
  if (path !== '' && !/^\/(?!\/)/.test(path)) fail(`path must begin with one slash, got "${shown(path)}"`);
  const headers = readText(json, 'headers', 4_096);
  for (const entry of headers.split('|')) checkHeader(entry);
  const code = scalar(json, 'expectedResponseCode') ?? '200';
  if (!/^[2-5]\d\d$/.test(code)) fail(`expectedResponseCode must be 200..599, got ${shown(code)}`);
  return { type: 'http', path, headers, expectedResponseCode: Number(code), tls, verify: readFlag(json, 'verify') ?? true };
}

function readHttps(json: JsonObject): CheckKind {
  if (readFlag(json, 'tls') === false) fail('tls must not be false where the type of healthChecker is HTTPS');
  return readHttp(json, true);
}

/** Blank ones do not count. Of one with several colons Nacos takes no notice, and so does the check. */
function checkHeader(entry: string): void {
  if (entry.trim() === '') return;
  const name = HEADER.exec(entry)?.[1];
  if (name === undefined) fail(`headers must be NAME:VALUE|NAME:VALUE without a colon in a value, got "${shown(entry)}"`);
  if (isReservedHeader(name)) fail(`headers must not set ${shown(name)}`);
}

const HEADER = /^ *([\w!#$%&'*+.^`~-]+) *:[\x20-\x39\x3b-\x7e]*$/;

function readMysql(json: JsonObject): CheckKind {
  return {
    type: 'mysql',
    user: readText(json, 'user', 256),
    password: readText(json, 'pwd', 256),
    command: readText(json, 'cmd', 4_096, IN_COMMAND),
  };
}

function readGrpc(json: JsonObject): CheckKind {
  return {
    type: 'grpc',
    service: readText(json, 'service', 1_024),
    tls: readFlag(json, 'tls') ?? false,
    verify: readFlag(json, 'verify') ?? true,
  };
}

/** "" when it is left out. It is not repeated: it may be a password. */
function readText(json: JsonObject, name: string, maxLength: number, forbidden = CONTROL): string {
  if (typeof json[name] === 'object' && json[name] !== null) fail(`${name} of healthChecker must be a text`);
  const text = scalar(json, name) ?? '';
  if (text.length > maxLength) fail(`${name} of healthChecker must have at most ${maxLength} characters, got ${text.length}`);
  if (forbidden.test(text)) fail(`${name} of healthChecker must not have control characters`);
  return text;
}

const CONTROL = /\p{Cc}/u;
/** A statement may have several lines. */
const IN_COMMAND = /[^\P{Cc}\t\r\n]/u;

/** Undefined when it is left out. */
function readFlag(json: JsonObject, name: string): boolean | undefined {
  const text = scalar(json, name);
  if (text === undefined || text === 'true' || text === 'false') return text === undefined ? undefined : text === 'true';
  fail(`${name} of healthChecker must be true or false, got ${shown(text)}`);
}

function fail(message: string): never {
  throw new RequestError('invalid', message);
}
