import { systemScheduler } from '../wire/scheduler.ts';
import { again, BEGUN } from './client/again.ts';
import type { Client, ClientFlags } from './client/connection-flags.ts';
import { durationMs } from './client/duration.ts';
import { everyStatus, type Told } from './client/every-status.ts';
import { CallError, EXIT, type ExitCode, TooLateError, UsageError } from './client/failures.ts';
import { GrpcConnection } from './client/grpc.ts';
import { watchHealth } from './client/health-calls.ts';
import { healthName, partsOf } from './client/names.ts';
import { colourOf } from './client/status-cell.ts';
import { endWhenUnread } from './streams.ts';

/** What `beatbridge watch` is told. */
export interface WatchFlags extends ClientFlags {
  readonly all?: boolean;
  readonly until?: string;
  readonly timeout?: string;
  readonly namespace?: string;
  readonly group?: string;
}

/** Each status, and each that follows, until it is interrupted, or all are what is waited for. */
export async function watch(client: Client, names: readonly string[], flags: WatchFlags): Promise<ExitCode> {
  const wanted = read(names, flags);
  // Who waits for something waits for the exit code.
  if (flags.until === undefined) endWhenUnread();
  const stop = new AbortController();
  let isLate = false;
  const late = () => {
    isLate = true;
    stop.abort();
  };
  const cancel = wanted.timeoutMs === undefined ? () => {} : systemScheduler.after(wanted.timeoutMs, late);
  const statuses = new Map<string, string>();
  const begin = () =>
    flags.all
      ? everyStatus(client, { namespace: flags.namespace, group: flags.group }, stop.signal)
      : named(client, wanted.names, stop.signal);
  try {
    const options = { note: client.output.note, signal: stop.signal, random: Math.random, isPatient: flags.until !== undefined };
    for await (const told of again(begin, options)) {
      const before = statuses.get(told.name);
      if (told.status === 'gone') statuses.delete(told.name);
      else statuses.set(told.name, told.status);
      // After a break all are told again.
      if (before !== told.status) tell(client, told, before);
      if (flags.until !== undefined && areAll(statuses, flags.until, wanted.names)) return EXIT.ok;
    }
  } finally {
    cancel();
    stop.abort();
  }
  if (isLate) throw new TooLateError(lateReason(statuses, flags.until ?? '', wanted.names, flags.timeout ?? ''));
  return EXIT.ok;
}

/** Throws `UsageError`. */
function read(names: readonly string[], { all, until, timeout, namespace, group }: WatchFlags) {
  const faults: string[] = [];
  if (all && names.length > 0) faults.push('names and --all exclude each other');
  if (!all && names.length === 0) faults.push('it needs a name, or --all');
  if (timeout !== undefined && until === undefined) faults.push('--timeout needs --until');
  const timeoutMs = timeout === undefined ? undefined : durationMs(timeout);
  if (timeout !== undefined && timeoutMs === undefined)
    faults.push(`--timeout must be a time above zero such as 60s, got ${JSON.stringify(timeout.slice(0, 100))}`);
  if (faults.length > 0) throw new UsageError(faults);
  const flags = { ...(namespace !== undefined && { namespace }), ...(group !== undefined && { group }) };
  const asked = names.map((name) => (name === '' ? '' : healthName(partsOf(name, flags))));
  return { names: [...new Set(asked)], timeoutMs };
}

function tell({ output, now }: Client, { name, status, at, cause }: Told, before: string | undefined): void {
  const when = at ?? new Date(now()).toISOString();
  if (output.isJson) output.json({ at: when, service: name, status, ...(cause !== undefined && { cause }) });
  else {
    const change = before === undefined ? status : `${before} -> ${status}`;
    output.line(
      [when, name === '' ? '(bridge)' : name, change, ...(cause === undefined ? [] : [cause])].join('  '),
      colourOf(status),
    );
  }
}

function areAll(statuses: ReadonlyMap<string, string>, until: string, names: readonly string[]): boolean {
  // Of all there are, one at least.
  const wanted = names.length === 0 ? [...statuses.keys()] : names;
  return wanted.length > 0 && wanted.every((name) => statuses.get(name) === until);
}

function lateReason(statuses: ReadonlyMap<string, string>, until: string, names: readonly string[], timeout: string): string {
  const wanted = names.length === 0 ? [...statuses.keys()] : names;
  const others = wanted.filter((name) => statuses.get(name) !== until);
  if (wanted.length === 0) return `there is no service after ${timeout}`;
  const said = others
    .slice(0, 3)
    .map((name) => `${name === '' ? 'the server' : name} is ${statuses.get(name) ?? 'not heard of'}`);
  return `${said.join(', ')}${others.length > 3 ? `, and ${others.length - 3} more are not ${until}` : ''} after ${timeout}`;
}

/** A Watch for each name, over one connection. */
async function* named(
  { target }: Client,
  names: readonly string[],
  stop: AbortSignal,
): AsyncGenerator<Told | typeof BEGUN, void> {
  using connection = await GrpcConnection.open(target);
  yield BEGUN;
  const queue: Told[] = [];
  let failure: unknown;
  let wake = () => {};
  const follow = async (name: string) => {
    try {
      for await (const status of watchHealth(connection, name, stop)) {
        queue.push({ name, status });
        wake();
      }
      failure ??= new CallError(`${target.addr} has ended the watch`);
    } catch (error) {
      failure ??= error;
    }
    wake();
  };
  for (const name of names) void follow(name);
  while (!stop.aborted) {
    const told = queue.shift();
    if (told !== undefined) yield told;
    else if (failure !== undefined) throw failure;
    else
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
}
