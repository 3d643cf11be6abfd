import type { Banner } from './api.ts';
import type { BridgeSource } from './bridge-source.ts';
import type { Happened, Sources } from './sources.ts';

type BannerSources = Pick<Sources, 'bridge' | 'registry' | 'wallClock'>;

/**
 * What is to be known before anything else, the worst first: it says of all services, or of the process, and so it is for who may see
 * everything. `notable`: the last events of `NOTABLE` causes, the oldest first.
 */
export function bannersOf(sources: BannerSources, notable: readonly Happened[]): readonly Banner[] {
  const { bridge, wallClock } = sources;
  const at = wallClock();
  const all = [
    ...stallOf(bridge, notable, at),
    ...storeOf(bridge),
    ...certificateOf(bridge, at),
    ...crowdsOf(sources, notable, at),
    ...rememberedOf(sources, at),
    ...limitsOf(bridge),
    ...troubleOf(bridge),
  ];
  return all.sort((a, b) => ORDER[a.level] - ORDER[b.level]);
}

const ORDER: Readonly<Record<Banner['level'], number>> = { error: 0, warn: 1, info: 2 };

export const NOTABLE: ReadonlySet<string> = new Set(['stalled', 'mass-silence', 'mass-loss']);

/** Deaf is deaf: what it says of others may be old. Once it hears again, that it was deaf explains what is seen. */
function stallOf(bridge: BridgeSource, notable: readonly Happened[], at: number): readonly Banner[] {
  const forMs = bridge.stalledForMs();
  if (forMs !== undefined) return [{ kind: 'stalled', level: 'error', forMs: Math.round(forMs / 1_000) * 1_000 }];
  const last = lastOf(notable, 'stalled', at - TOLD_FOR_MS);
  if (last === undefined) return [];
  const gapMs = last.detail?.gapMs;
  return [{ kind: 'stalled', level: 'warn', since: last.at, ...(typeof gapMs === 'number' && { forMs: gapMs }) }];
}

function storeOf(bridge: BridgeSource): readonly Banner[] {
  const what = bridge.storeTrouble();
  return what === undefined ? [] : [{ kind: 'store', level: 'error', what }];
}

function certificateOf(bridge: BridgeSource, at: number): readonly Banner[] {
  const certificate = bridge.certificate();
  if (certificate === undefined) return [];
  const { subject: what, until, trouble, warnFrom } = certificate;
  const ending: Banner = { kind: 'certificate', level: at >= until ? 'error' : 'warn', until, what };
  return [
    ...(at >= warnFrom ? [ending] : []),
    ...(trouble === undefined ? [] : [{ kind: 'certificate-refused', level: 'error', until, what: trouble } as const]),
  ];
}

/** Of what very many did at once, as long as something is held back for it. */
function crowdsOf({ registry, wallClock }: BannerSources, notable: readonly Happened[], at: number): readonly Banner[] {
  const { slowedForMs, keptCount } = registry.records;
  const [silence, loss] = [lastOf(notable, 'mass-silence', 0), lastOf(notable, 'mass-loss', at - KEPT_FOR_MS)];
  // Two clocks: to the second it is the same from one look to the next.
  const until = Math.round((wallClock() + slowedForMs) / 1_000) * 1_000;
  return [
    ...(slowedForMs > 0 ? [{ kind: 'mass-silence', level: 'error', until, ...saidOf(silence) } as const] : []),
    ...(keptCount > 0 && loss !== undefined ? [{ kind: 'mass-loss', level: 'warn', ...saidOf(loss) } as const] : []),
  ];
}

function saidOf(happened: Happened | undefined): Pick<Banner, 'since' | 'count'> {
  if (happened === undefined) return {};
  return { since: happened.at, ...(happened.count !== undefined && { count: happened.count }) };
}

function rememberedOf({ registry, bridge }: BannerSources, at: number): readonly Banner[] {
  const count = registry.records.unheardCount;
  if (count === 0) return [];
  const { comeBackUntil: until } = bridge;
  return [{ kind: 'remembered', level: 'info', count, ...(until > at && { until }) }];
}

function limitsOf(bridge: BridgeSource): readonly Banner[] {
  return bridge
    .limits()
    .filter(({ used, most }) => used >= most * NEARLY)
    .map(({ name, used, most, option }) => {
      const level = used >= most ? 'error' : 'warn';
      return { kind: 'limit', level, what: option === undefined ? name : `${name} (${option})`, used, most };
    });
}

function troubleOf(bridge: BridgeSource): readonly Banner[] {
  const webhooks = bridge.webhooks();
  return [
    ...(bridge.isDraining() ? [{ kind: 'draining', level: 'warn' } as const] : []),
    ...(webhooks === undefined
      ? []
      : [{ kind: 'webhooks', level: 'warn', count: webhooks.failing, what: webhooks.says } as const]),
    ...(bridge.areUsersUnreadable() ? [{ kind: 'unreadable-users', level: 'error' } as const] : []),
  ];
}

function lastOf(notable: readonly Happened[], cause: string, since: number): Happened | undefined {
  return notable.findLast((one) => one.cause === cause && one.at >= since);
}

const TOLD_FOR_MS = 600_000;
/** Whoever has lost a connection is kept for seconds. */
const KEPT_FOR_MS = 60_000;
const NEARLY = 0.9;
