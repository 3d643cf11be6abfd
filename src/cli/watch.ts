import { systemScheduler } from '../wire/scheduler.ts';
import { again, type BEGUN } from './client/again.ts';
import type { Client, ClientFlags } from './client/connection-flags.ts';
import { durationMs } from './client/duration.ts';
import { everyStatus, type Listed, type Told } from './client/every-status.ts';
import { EXIT, type ExitCode, TooLateError, UsageError } from './client/failures.ts';
import { namedStatuses, Pulse } from './client/named-statuses.ts';
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
  const pulse = new Pulse();
  const begin = (): AsyncGenerator<Said, void> =>
    flags.all
      ? everyStatus(client, { namespace: flags.namespace, group: flags.group }, stop.signal)
      : namedStatuses(client.target, wanted.names, pulse, stop.signal);
  try {
    const options = { note: client.output.note, signal: stop.signal, random: Math.random, isPatient: flags.until !== undefined };
    for await (const told of again(begin, options)) {
      for (const one of 'listed' in told ? wholeOf(told.listed, statuses) : [told]) {
        const before = statuses.get(one.name);
        if (one.status === 'gone') statuses.delete(one.name);
        else statuses.set(one.name, one.status);
        // After a break all are told again.
        if (before !== one.status) tell(client, one, before);
      }
      if (flags.until !== undefined && areAll(statuses, flags.until, wanted.names)) return EXIT.ok;
    }
  } finally {
    cancel();
    stop.abort();
  }
  if (isLate) throw new TooLateError(lateReason(statuses, flags.until ?? '', wanted.names, flags.timeout ?? ''));
  return EXIT.ok;
}

type Said = Told | Listed | typeof BEGUN;

/** A list with those, too, that were there and are not in it: they went during a break. */
function wholeOf(listed: readonly Told[], before: ReadonlyMap<string, string>): readonly Told[] {
  const names = new Set(listed.map(({ name }) => name));
  return [...listed, ...[...before.keys()].filter((name) => !names.has(name)).map((name) => ({ name, status: 'gone' }))];
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
