import { isIP } from 'node:net';
import { durationMs } from './duration.ts';
import { UsageError } from './failures.ts';
import { type Files, readTokenFile } from './files.ts';
import { faultOfAuthorities, faultOfPair, type PemFile } from './pem.ts';

/** Which server a command asks, how it gets there, and as whom: said once, by flags and by the environment, for every protocol. */
export interface Target {
  /** As it was said, or by default: what messages name. */
  readonly addr: string;
  readonly where: Where;
  /** Undefined: in clear. */
  readonly tls: TlsTarget | undefined;
  /** What stands in `Authorization`. */
  readonly authorization: string | undefined;
  readonly connectTimeoutMs: number;
  readonly rpcTimeoutMs: number;
  readonly userAgent: string;
}

export type Where = { readonly host: string; readonly port: number } | { readonly path: string };

export interface TlsTarget {
  readonly verify: boolean;
  /** PEM; undefined: those that Node trusts. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Whose name the certificate has to have. */
  readonly serverName: string;
}

/** As commander gives them. */
export interface ConnectionFlags {
  readonly addr?: string;
  readonly tls?: boolean;
  readonly tlsCaCert?: string;
  readonly tlsClientCert?: string;
  readonly tlsClientKey?: string;
  readonly tlsServerName?: string;
  readonly tlsNoVerify?: boolean;
  readonly tokenFile?: string;
  readonly connectTimeout: string;
  readonly rpcTimeout: string;
  readonly userAgent?: string;
}

export const ADDR_ENV = 'BEATBRIDGE_ADDR';
export const TOKEN_FILE_ENV = 'BEATBRIDGE_TOKEN_FILE';
/** Where a server is that was started without options. */
export const DEFAULT_ADDR = '127.0.0.1:8848';
const DEFAULT_PORT = 8848;

/** Throws `UsageError` with all that is wrong. */
export function targetOf(
  flags: ConnectionFlags,
  env: Readonly<Record<string, string | undefined>>,
  files: Files,
  agent: string,
): Target {
  const faults: string[] = [];
  const addr = flags.addr ?? (env[ADDR_ENV] || DEFAULT_ADDR);
  const said = whereOf(addr);
  if (said === undefined) {
    const place = flags.addr === undefined ? ADDR_ENV : '--addr';
    faults.push(`${place} must be HOST:PORT, https://HOST:PORT or unix:PATH, got ${quoted(addr)}`);
  }
  const withTls = flags.tls === true || said?.isTls === true;
  faults.push(...tlsFaultsOf(flags, withTls));
  const msOf = (flag: string, text: string): number => {
    const ms = durationMs(text);
    if (ms === undefined) faults.push(`${flag} must be a time above zero such as 500ms, 1s or 1m30s, got ${quoted(text)}`);
    return ms ?? 0;
  };
  const connectTimeoutMs = msOf('--connect-timeout', flags.connectTimeout);
  const rpcTimeoutMs = msOf('--rpc-timeout', flags.rpcTimeout);
  const userAgent = flags.userAgent ?? agent;
  if (!/^[\x20-\x7e]*$/.test(userAgent)) faults.push('--user-agent must be printable ASCII');
  const read = (flag: string, path: string | undefined) => (path ? files.read(flag, path, faults) : undefined);
  const where = said?.where ?? { host: '', port: 0 };
  const tls = withTls
    ? {
        verify: flags.tlsNoVerify !== true,
        ...tlsFiles(flags, read, faults),
        serverName: flags.tlsServerName || ('host' in where ? where.host : 'localhost'),
      }
    : undefined;
  const tokenFile = flags.tokenFile ?? (env[TOKEN_FILE_ENV] || undefined);
  const tokenPlace = flags.tokenFile === undefined ? TOKEN_FILE_ENV : '--token-file';
  const authorization = tokenFile === undefined ? undefined : readTokenFile(files, tokenPlace, tokenFile, faults);
  if (faults.length > 0) throw new UsageError(faults);
  return { addr, where, tls, authorization, connectTimeoutMs, rpcTimeoutMs, userAgent };
}

/** The texts of those that are given, and can be used. */
function tlsFiles(
  { tlsCaCert, tlsClientCert, tlsClientKey, tlsNoVerify }: ConnectionFlags,
  read: (flag: string, path: string | undefined) => string | undefined,
  faults: string[],
): Pick<TlsTarget, 'ca' | 'cert' | 'key'> {
  const file = (flag: string, path: string | undefined): PemFile | undefined => {
    const text = read(flag, path);
    return text === undefined ? undefined : { flag, path: path ?? '', text };
  };
  const ca = file('--tls-ca-cert', tlsCaCert);
  const cert = file('--tls-client-cert', tlsClientCert);
  const key = file('--tls-client-key', tlsClientKey);
  const wrong = [ca && !tlsNoVerify && faultOfAuthorities(ca), cert && key && faultOfPair(cert, key)];
  faults.push(...wrong.filter((fault) => typeof fault === 'string'));
  return { ca: ca?.text, cert: cert?.text, key: key?.text };
}

/** The same contradictions as grpc_health_probe finds. */
function tlsFaultsOf(flags: ConnectionFlags, withTls: boolean): string[] {
  const { tlsCaCert, tlsClientCert, tlsClientKey, tlsServerName, tlsNoVerify } = flags;
  const given = {
    '--tls-ca-cert': tlsCaCert,
    '--tls-client-cert': tlsClientCert,
    '--tls-client-key': tlsClientKey,
    '--tls-server-name': tlsServerName,
    '--tls-no-verify': tlsNoVerify,
  };
  const faults = withTls ? [] : Object.entries(given).flatMap(([flag, value]) => (value ? [`${flag} needs --tls`] : []));
  if (tlsClientCert && !tlsClientKey) faults.push('--tls-client-cert needs --tls-client-key');
  if (tlsClientKey && !tlsClientCert) faults.push('--tls-client-key needs --tls-client-cert');
  if (tlsNoVerify && tlsCaCert) faults.push('--tls-ca-cert and --tls-no-verify exclude each other: it would not be used');
  if (tlsNoVerify && tlsServerName) faults.push('--tls-server-name and --tls-no-verify exclude each other: it would not be used');
  return faults;
}

interface SaidWhere {
  readonly where: Where;
  readonly isTls: boolean;
}

/** `HOST:PORT`, `HOST`, `:PORT`, `[IPV6]:PORT`, the same behind http:// or https://, or `unix:PATH`. Undefined for what is none. */
export function whereOf(addr: string): SaidWhere | undefined {
  const [, path] = /^unix:(?:\/\/(?=\/))?(.+)$/.exec(addr) ?? [];
  if (path !== undefined) return { where: { path }, isTls: false };
  const [, scheme, rest = ''] = /^(https?:\/\/|dns:\/\/\/)?([^/?#@\s]+)\/?$/i.exec(addr) ?? [];
  const [, v6, name, port] = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(rest) ?? [];
  const host = v6 ?? (isIP(rest) === 6 ? rest : (name ?? ''));
  const isAddress = v6 === undefined || isIP(v6.replace(/%.*$/, '')) === 6;
  const number = Number(port ?? DEFAULT_PORT);
  if (rest === '' || !isAddress || number < 1 || number > 65_535) return undefined;
  if (host === '' && port === undefined) return undefined;
  return { where: { host: host === '' ? 'localhost' : host, port: number }, isTls: /^https:/i.test(scheme ?? '') };
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
