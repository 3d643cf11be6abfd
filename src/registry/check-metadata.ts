import type { Check } from './checks.ts';
import { DURATION_FORM, parseDuration } from './duration.ts';
import type { Metadata } from './instance.ts';

/**
 * How an instance asks, in its own metadata, to be checked actively: `health.check` says by what, and `health.check.port`,
 * `.interval`, `.timeout`, `.code` and `.verify` how.
 */
export interface AskedCheck {
  readonly check: Check;
  /** Between two checks; undefined: at the pace of its kind. */
  readonly intervalMs: number | undefined;
  /** How long one may take; undefined: as long as any of its kind. */
  readonly timeoutMs: number | undefined;
}

/** What is wrong, in one line that says what would be right. */
export interface CheckFault {
  readonly fault: string;
}

/** Undefined: nothing is asked. */
export function askedCheckOf(metadata: Metadata): AskedCheck | CheckFault | undefined {
  // Most instances ask for nothing, and some have many keys.
  let given: Map<string, string> | undefined;
  for (const key in metadata) {
    if (!key.startsWith(KEY) || (key.length > KEY.length && key[KEY.length] !== '.')) continue;
    given ??= new Map();
    given.set(key.slice(KEY.length), metadata[key] ?? '');
  }
  return given && read(given);
}

const KEY = 'health.check';

function read(given: ReadonlyMap<string, string>): AskedCheck | CheckFault {
  const text = given.get('');
  if (text === undefined) return { fault: `${KEY}${first(given)} means nothing without ${KEY}` };
  for (const part of given.keys())
    if (!PARTS.has(part))
      return { fault: `${KEY}${shown(part)} is not known: there are ${[...PARTS].map((known) => KEY + known).join(', ')}` };
  const port = given.get('.port');
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535))
    return wrong('.port', '1..65535', port);
  const code = given.get('.code');
  if (code !== undefined && !/^[2-5]\d\d$/.test(code)) return wrong('.code', '200..599', code);
  const verify = given.get('.verify');
  if (verify !== undefined && verify !== 'true' && verify !== 'false') return wrong('.verify', 'true or false', verify);
  const interval = within(given.get('.interval'), 500, 3_600_000);
  if (interval === 'wrong') return wrong('.interval', `${DURATION_FORM}, from 500ms to 1h`, given.get('.interval'));
  const timeout = within(given.get('.timeout'), 50, 60_000);
  if (timeout === 'wrong') return wrong('.timeout', `${DURATION_FORM}, from 50ms to 1m`, given.get('.timeout'));
  const kind = kindOf(text, code === undefined ? 200 : Number(code), verify !== 'false');
  if (kind === undefined) return wrong('', 'tcp, http:/path, https:/path, grpc:service or grpcs:service', text);
  if (code !== undefined && kind.type !== 'http') return { fault: `${KEY}.code is for http:/path and https:/path` };
  return { check: { ...kind, port: port === undefined ? undefined : Number(port) }, intervalMs: interval, timeoutMs: timeout };
}

const PARTS: ReadonlySet<string> = new Set(['', '.port', '.interval', '.timeout', '.code', '.verify']);

function kindOf(text: string, expectedResponseCode: number, verify: boolean) {
  const [, scheme = '', rest = ''] = /^([a-z]+)(?::(.*))?$/s.exec(text.trim()) ?? [];
  if (rest.length > MAX_LENGTH || /[\s\p{Cc}]/u.test(rest)) return undefined;
  if (scheme === 'tcp' && rest === '') return { type: 'tcp' } as const;
  if (scheme === 'grpc' || scheme === 'grpcs') return { type: 'grpc', service: rest, tls: scheme === 'grpcs', verify } as const;
  if ((scheme !== 'http' && scheme !== 'https') || !(rest === '' || rest.startsWith('/')) || rest.startsWith('//'))
    return undefined;
  return {
    type: 'http',
    path: rest === '' ? '/' : rest,
    headers: '',
    expectedResponseCode,
    tls: scheme === 'https',
    verify,
  } as const;
}

/** In characters. */
const MAX_LENGTH = 1_024;

function within(text: string | undefined, least: number, most: number): number | undefined | 'wrong' {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  return ms === undefined || ms < least || ms > most ? 'wrong' : ms;
}

function first(given: ReadonlyMap<string, string>): string {
  for (const part of given.keys()) return shown(part);
  return '';
}

function wrong(part: string, expected: string, got: string | undefined): CheckFault {
  return { fault: `${KEY}${part} must be ${expected}, got "${shown(got ?? '')}"` };
}

/** No more of what was given is repeated, and on one line. */
function shown(text: string): string {
  const line = text.slice(0, 100).replace(/\p{Cc}/gu, ' ');
  return text.length > 100 ? `${line}…` : line;
}
