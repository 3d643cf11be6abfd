import type { Client, ClientFlags } from './client/connection-flags.ts';
import { countOf, drainedIn, placeIn, tellServices } from './client/drained.ts';
import { durationMs } from './client/duration.ts';
import { UsageError } from './client/failures.ts';
import { jsonFrom } from './client/http.ts';
import { addressIn, addressText, scopeIn } from './client/instance-place.ts';

/** What `beatbridge resume` is told. */
export interface ResumeFlags extends ClientFlags {
  readonly service?: string;
  readonly namespace?: string;
}

/** What `beatbridge drain` is told. */
export interface DrainFlags extends ResumeFlags {
  readonly for: string;
  readonly reason?: string;
}

/** Takes whoever is there out. Rejects with `ClientError`, also when nobody is there. */
export async function drain({ target, output }: Client, address: string, flags: DrainFlags): Promise<void> {
  const { path, faults } = pathOf(address);
  const ms = forMs(flags.for);
  if (ms === undefined) faults.push(`--for must be 1s..7d, such as 90s, 10m, 2h or 1d, got ${quoted(flags.for)}`);
  const { reason = '' } = flags;
  if (reason.length > MAX_REASON_LENGTH)
    faults.push(`--reason must have at most ${MAX_REASON_LENGTH} characters, got ${reason.length}`);
  if (UNPRINTABLE.test(reason)) faults.push(`--reason must be one line without control characters, got ${quoted(reason)}`);
  if (ms === undefined || faults.length > 0) throw new UsageError(faults);
  const query = { for: `${ms / 1_000}s`, reason: reason === '' ? undefined : reason, ...scopeIn(flags) };
  const said = await jsonFrom(target, { method: 'PUT', path, query });
  if (output.isJson) return output.json(said);
  const drained = drainedIn(said);
  output.line(`drained until ${drained.until}: ${countOf(drained)} at ${drained.address}`);
  tellServices(output, drained);
}

/** Puts whoever is there back. Rejects with `ClientError`, also when nothing is drained there. */
export async function resume({ target, output }: Client, address: string, flags: ResumeFlags): Promise<void> {
  const { path, faults } = pathOf(address);
  if (faults.length > 0) throw new UsageError(faults);
  const said = await jsonFrom(target, { method: 'DELETE', path, query: scopeIn(flags) });
  if (output.isJson) return output.json(said);
  const resumed = drainedIn(said);
  output.line(`resumed: ${countOf(resumed)} at ${resumed.address}`);
  tellServices(output, resumed);
}

/** What is taken out now. */
export async function drains({ target, output }: Client, flags: ResumeFlags): Promise<void> {
  const said = await jsonFrom(target, { method: 'GET', path: '/drains', query: scopeIn(flags) });
  if (output.isJson) return output.json(said);
  const all = Array.isArray(said) ? said : [];
  if (all.length === 0) return output.note('nothing is drained');
  output.table(
    [{ name: 'INSTANCE' }, { name: 'NAMESPACE' }, { name: 'SERVICE' }, { name: 'UNTIL' }, { name: 'BY' }, { name: 'REASON' }],
    all.map((one) => {
      const [{ until, by, reason }, { address, namespace: where, service: name }] = [drainedIn(one), placeIn(one)];
      return [address, where, name, until, by, reason];
    }),
  );
}

/** What would make another line of a log, or turn one round. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;
const MAX_REASON_LENGTH = 200;
const LEAST_MS = 1_000;
const DAY_MS = 86_400_000;
const MOST_MS = 7 * DAY_MS;

/** Whole seconds; undefined for anything else. Days are no unit of Go's. */
function forMs(text: string): number | undefined {
  const [, days] = /^(\d{1,2})d$/.exec(text) ?? [];
  const ms = days === undefined ? durationMs(text) : Number(days) * DAY_MS;
  return ms !== undefined && ms >= LEAST_MS && ms <= MOST_MS && ms % 1_000 === 0 ? ms : undefined;
}

/** And what is wrong with the address. */
function pathOf(address: string): { readonly path: string; readonly faults: string[] } {
  try {
    const { ip } = addressIn(address);
    if (!ip.includes(':') && !/^[\w.-]{1,253}$/.test(ip))
      throw new UsageError([`the address must be IP:PORT, of IPv6 [IP]:PORT, got ${quoted(address)}`]);
    return { path: `/drains/${encodeURIComponent(addressText(addressIn(address)))}`, faults: [] };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { path: '', faults: [...error.faults] };
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
