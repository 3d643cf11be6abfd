import type { Client, ClientFlags } from './client/connection-flags.ts';
import { CallError, EXIT, type ExitCode, UsageError } from './client/failures.ts';
import { DEADLINE_EXCEEDED, GrpcConnection, GrpcError, NOT_FOUND, UNIMPLEMENTED } from './client/grpc.ts';
import { checkHealth } from './client/health-calls.ts';

/** What `beatbridge check` is told. */
export interface CheckFlags extends ClientFlags {
  readonly service?: string;
  readonly rpcHeader?: readonly string[];
  readonly gzip?: boolean;
  readonly verbose?: boolean;
  readonly version?: boolean;
  readonly alts?: boolean;
  readonly spiffe?: boolean;
  readonly googleAccessToken?: boolean;
}

interface Around {
  readonly client: (flags: ClientFlags) => Client;
  readonly version: string;
}

/** One call of Check. Rejects with `ClientError` when there is no answer. */
export async function check(name: string | undefined, flags: CheckFlags, { client, version }: Around): Promise<ExitCode> {
  if (flags.version) {
    process.stdout.write(`${version}\n`);
    return EXIT.ok;
  }
  const { service, headers } = read(name, flags);
  const { target, output } = client(flags);
  const tell = (text: string) => flags.verbose && output.note(text);
  tell(`connecting to ${target.addr}${target.tls === undefined ? '' : ' over TLS'}, for ${target.connectTimeoutMs} ms at most`);
  using connection = await GrpcConnection.open(target);
  tell(`connected; asking for ${JSON.stringify(service)}, for ${target.rpcTimeoutMs} ms at most`);
  const status = await checkHealth(connection, service, { headers, isCompressed: flags.gzip === true }).catch((error) => {
    throw error instanceof GrpcError ? new CallError(failureOf(error, service)) : error;
  });
  if (output.isJson) output.json({ service, status });
  else if (status === 'SERVING') output.line(`status: ${status}`);
  else output.line(`service unhealthy (responded with "${status}")`);
  return status === 'SERVING' ? EXIT.ok : EXIT.notServing;
}

/** Throws `UsageError`. */
function read(name: string | undefined, flags: CheckFlags) {
  const faults: string[] = [];
  const { service, alts, spiffe, googleAccessToken } = flags;
  if (name !== undefined && service !== undefined && name !== service) faults.push('a name and --service exclude each other');
  for (const [flag, isGiven] of Object.entries({
    '--alts': alts,
    '--spiffe': spiffe,
    '--google-access-token': googleAccessToken,
  }))
    if (isGiven) faults.push(`${flag} is not supported here: TLS with certificates in files is`);
  const headers = headersOf(flags.rpcHeader ?? [], faults);
  if (faults.length > 0) throw new UsageError(faults);
  return { service: name ?? service ?? '', headers };
}

/** As gRPC and HTTP/2 allow them, and none that belongs to the call itself. */
function headersOf(said: readonly string[], faults: string[]): Readonly<Record<string, readonly string[]>> {
  const headers = new Map<string, string[]>();
  for (const one of said) {
    const [, name = '', value = ''] = /^([\w.-]+)\s*:\s*(.*?)\s*$/.exec(one) ?? [];
    const key = name.toLowerCase();
    // The value may be a secret, and is never repeated.
    // Of a key that ends so, gRPC sends whatever bytes there are, in base64.
    const sent = key.endsWith('-bin') ? Buffer.from(value).toString('base64').replace(/=+$/, '') : value;
    if (key === '' || !/^[\x20-\x7e]*$/.test(sent)) faults.push("--rpc-header must be 'NAME: VALUE', in printable ASCII");
    else if (OWN.test(key)) faults.push(`--rpc-header cannot set ${key}: the call does`);
    else headers.set(key, [...(headers.get(key) ?? []), sent]);
  }
  return Object.fromEntries(headers);
}

const OWN =
  /^(te|content-type|connection|host|keep-alive|transfer-encoding|upgrade|user-agent|grpc-(timeout|encoding|accept-encoding|status|message))$/;

function failureOf({ code, message }: GrpcError, service: string): string {
  if (code === UNIMPLEMENTED) return `the server does not implement grpc.health.v1.Health: ${message}`;
  if (code === DEADLINE_EXCEEDED) return `timeout: health rpc did not complete: ${message}`;
  if (code === NOT_FOUND) return `health rpc failed: ${message} (${JSON.stringify(service.slice(0, 200))})`;
  return `health rpc failed: ${message}`;
}
