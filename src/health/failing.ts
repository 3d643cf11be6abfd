import type { Heard } from '../registry/changes.ts';
import type { Instance } from '../registry/instance.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { Explanation } from './health.ts';
import { addressKey, type Happened, type Past, type ToldBy } from './past.ts';

/** Why an instance cannot be called: in this order, as one cause may hide another. */
export type FailingCause =
  | 'probe'
  | 'restored'
  | 'silent'
  | 'registered-unhealthy'
  | 'drained'
  | 'disabled'
  | 'weight-0'
  /** Gone lately. */
  | 'removed'
  | 'connection-ended'
  | 'deregistered';

/** One that cannot be called, or has gone lately, as it is told; times in ISO 8601. What nobody knows is left out. */
export interface Failing {
  readonly namespace: string;
  readonly group: string;
  readonly service: string;
  readonly ip: string;
  readonly port: number;
  readonly cause: string;
  readonly since?: string;
  readonly lastBeatAt?: string;
  readonly heardFrom?: string;
  readonly client?: string;
  /** How far apart its beats were. */
  readonly intervalMs?: number;
  readonly reason?: string;
  /** Of a drain: when it ends. */
  readonly until?: string;
  readonly by?: NonNullable<Happened['by']>;
}

/** Why this one cannot be called now. */
export function causeOf(instance: Instance): FailingCause {
  const { healthy, enabled, drain, trouble, remembered, ephemeral, silentMs, silence } = instance;
  if (healthy && drain !== undefined) return 'drained';
  if (healthy) return enabled ? 'weight-0' : 'disabled';
  if (trouble?.verdict === 'failing') return 'probe';
  if (remembered) return 'restored';
  return ephemeral && silentMs >= silence.unhealthyAfterMs ? 'silent' : 'registered-unhealthy';
}

/** By which event an instance came to fail so. */
const TOLD_BY: Readonly<Record<FailingCause, ToldBy>> = {
  probe: by('probe'),
  restored: by('restored', 'silent', 'probe'),
  silent: by('silent'),
  'registered-unhealthy': by('registered', 're-registered', 'returned', 'probe', 'silent'),
  drained: by('drained'),
  disabled: { ...by('edited', 'registered', 're-registered', 'returned'), field: 'enabled' },
  'weight-0': { ...by('edited', 'registered', 're-registered', 'returned'), field: 'weight' },
  removed: by(),
  'connection-ended': by(),
  deregistered: by(),
};

function by(...causes: readonly string[]): ToldBy {
  return { causes: new Set(causes) };
}

/** Of a service, who is to be told of. */
export interface ToTell extends Pick<Explanation, 'service' | 'failing' | 'heardOf'> {
  /** How long somebody has been silent is left to who shows it: as a text it is another at each look. */
  readonly isShown?: boolean;
}

/** Those that are here and cannot be called, the first of them. */
export function failingOf({ service, failing, heardOf, isShown = false }: ToTell, most: number, past: Past): Failing[] {
  const told = failing.slice(0, most).map((instance) => ({ instance, cause: causeOf(instance) }));
  const wanted = new Map(told.map(({ instance, cause }) => [addressKey(instance), TOLD_BY[cause]]));
  const happened = past.lastOf(service, wanted);
  return told.map(({ instance, cause }) => {
    const [last, heard] = [happened.get(addressKey(instance)), heardOf(instance)];
    return viewOf(service, instance, { cause, last, heard, isShown, now: past.wallClock() });
  });
}

interface Known {
  readonly cause: FailingCause;
  readonly last: Happened | undefined;
  readonly heard: Heard | undefined;
  readonly isShown: boolean;
  readonly now: number;
}

function viewOf(service: ServiceName, instance: Instance, { cause, last, heard, isShown, now }: Known): Failing {
  const { ip, port, ephemeral, silentMs, silence } = instance;
  // Of one that a connection holds there is no sign of life but that.
  const isSilent = !instance.healthy && ephemeral && silentMs > 0;
  const seen = last === undefined ? {} : sourceOf(last);
  const heardAt = isSilent ? now - silentMs : undefined;
  const since =
    (cause === 'drained' ? instance.drain?.since : last?.at) ??
    (cause === 'silent' && heardAt !== undefined ? heardAt + silence.unhealthyAfterMs : undefined);
  const reason = isShown && cause === 'silent' ? undefined : reasonOf(instance, cause, last);
  const by = cause === 'drained' ? instance.drain?.by : last?.cause === 'edited' ? last.by : undefined;
  return {
    ...namesOf(service),
    ip,
    port,
    cause: cause === 'registered-unhealthy' && last?.cause === 'silent' ? 'silent' : cause,
    ...(since !== undefined && { since: iso(since) }),
    // What the event says is the same whenever it is asked for.
    ...(heardAt !== undefined && { lastBeatAt: seen.lastBeatAt ?? iso(heardAt) }),
    ...(heard?.peer !== undefined && { heardFrom: heard.peer }),
    ...(heard?.agent !== undefined && { client: heard.agent }),
    ...(isSilent && heard?.intervalMs !== undefined && { intervalMs: heard.intervalMs }),
    ...(reason !== undefined && { reason }),
    ...(cause === 'drained' && instance.drain && { until: iso(instance.drain.until) }),
    ...(by !== undefined && { by }),
  };
}

function namesOf({ namespace, group, name }: ServiceName): Pick<Failing, 'namespace' | 'group' | 'service'> {
  return { namespace, group, service: name };
}

function reasonOf(instance: Instance, cause: FailingCause, last: Happened | undefined): string | undefined {
  const { trouble, silentMs, edit, drain } = instance;
  switch (cause) {
    case 'probe':
      return trouble && `${trouble.type}: ${trouble.reason}`;
    case 'restored':
      return 'as it was before the restart, and not heard of since';
    case 'silent':
      return `no beat for ${seconds(silentMs)}`;
    case 'registered-unhealthy':
      if (trouble !== undefined) return `not checked: ${trouble.type}: ${trouble.reason}`;
      if (last?.cause === 'silent') return 'beats again, and not yet for long enough';
      return last?.cause === 'probe' ? 'somebody has said so' : 'its client says so';
    case 'drained':
      return drain?.reason === '' ? undefined : drain?.reason;
    case 'disabled':
      return edit?.enabled === false ? editorOf(last) : 'its client says so';
    case 'weight-0':
      return edit?.weight === 0 ? editorOf(last) : 'its client says so';
    default:
      return undefined;
  }
}

function editorOf(last: Happened | undefined): string {
  const { user, peer } = last?.cause === 'edited' ? (last.by ?? {}) : {};
  if (user !== undefined) return peer === undefined ? `edited by ${user}` : `edited by ${user} at ${peer}`;
  return peer === undefined ? 'edited by an operator' : `edited by an operator at ${peer}`;
}

/** Who has gone lately. A goodbye is a reason only for a service that has too few. */
export function goneOf(service: ServiceName, isServing: boolean, past: Past): Failing[] {
  const failing: Failing[] = [];
  for (const happened of past.gone(service)) {
    const { cause, at, ip, port, detail, by } = happened;
    if (isServing && cause === 'deregistered') continue;
    const reason = goneReasonOf(cause, detail, by);
    failing.push({
      ...namesOf(service),
      ip,
      port,
      cause,
      since: iso(at),
      ...sourceOf(happened),
      ...(reason !== undefined && { reason }),
    });
  }
  return failing;
}

function goneReasonOf(cause: string, detail: Happened['detail'] = {}, by: Happened['by'] = {}): string | undefined {
  if (cause === 'removed' && typeof detail.silentMs === 'number') return `no beat for ${seconds(detail.silentMs)}`;
  if (cause === 'deregistered') return by.peer === undefined ? 'said goodbye' : `said goodbye, from ${by.peer}`;
  if (cause !== 'connection-ended') return undefined;
  const { reason } = detail;
  const how = typeof reason === 'string' ? `: ${reason}` : '';
  return by.connection === undefined ? `its connection ended${how}` : `connection ${by.connection} ended${how}`;
}

/** Where its last beat came from, and by which client, as the event says. */
function sourceOf({ cause, by, subject = {} }: Happened): Partial<Pick<Failing, 'lastBeatAt' | 'heardFrom' | 'client'>> {
  const { lastBeatAt, heardFrom, client = cause === 'connection-ended' ? by?.agent : undefined } = subject;
  return {
    ...(typeof lastBeatAt === 'number' && { lastBeatAt: iso(lastBeatAt) }),
    ...(typeof heardFrom === 'string' && { heardFrom }),
    ...(typeof client === 'string' && { client }),
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
