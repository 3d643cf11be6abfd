import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { createEvents, type Events } from '../events/events.ts';
import { createWebhooks, type Webhooks } from '../events/webhooks/webhooks.ts';
import { Health } from '../health/health.ts';
import { NAME_FORM, parseHealthName, selectAll } from '../health/names.ts';
import { Watches } from '../health/watch.ts';
import { createNacos, type Nacos } from '../nacos/nacos.ts';
import { HOME, silenceOf } from '../nacos/rules.ts';
import { type Options, OptionsError } from '../options.ts';
import { createChecks } from '../probe/checks.ts';
import { forgetFindings } from '../probe/findings.ts';
import { Prober } from '../probe/prober.ts';
import type { CheckTimes, ProbeRules } from '../probe/rules.ts';
import { ONE_AVAILABLE, parseMinAvailable } from '../registry/available.ts';
import { Registry } from '../registry/registry.ts';
import { StoreError } from '../store/directory.ts';
import { Keeping } from '../store/keeping.ts';
import { AddressSet, originOf } from '../wire/addresses.ts';
import type { Clock } from '../wire/clock.ts';
import { HeldBodies } from '../wire/held-bodies.ts';
import { Totals } from '../wire/http2/totals.ts';
import { plainAddress } from '../wire/http2-peer.ts';
import type { TlsIdentity } from '../wire/identity.ts';
import { linesOf } from '../wire/line-budget.ts';
import { OpenAnswers } from '../wire/open-answers.ts';
import { Refused } from '../wire/refused.ts';
import { RisingClock } from '../wire/rising-clock.ts';
import { systemScheduler } from '../wire/scheduler.ts';
import { Taps } from '../wire/taps.ts';
import { Certificate, type CertificateRoom } from './certificate.ts';
import { type Door, gateOf, openDoor } from './door.ts';
import { withinHeap } from './heap.ts';
import type { House } from './house.ts';
import { saidOfRefusal } from './limit-options.ts';
import { loopUse } from './loop-use.ts';
import { beatsTold, metricsIn, standingsIn } from './measuring.ts';
import { storeNews } from './own-events.ts';
import { seatsOf } from './seating.ts';
import { Sweeper } from './sweeper.ts';
import { webhookSecrets } from './webhook-secrets.ts';

/**
 * The composition root: the one place where the registry, health, the Nacos surface, the store and the probes meet, and are given the
 * clock. It holds no rules of its own, and opens no port.
 */

export { StoreError };

/** What works behind the ports. */
export interface Rooms {
  readonly health: Health;
  readonly watches: Watches;
  readonly nacos: Nacos;
  readonly probes: Probes;
  /** Undefined: nothing is kept. */
  readonly keeping: Keeping | undefined;
  readonly door: Door;
  readonly sweeper: Sweeper;
  readonly events: Events;
  readonly webhooks: Webhooks;
  readonly metrics: ReturnType<typeof metricsIn>;
  /** Undefined: no TLS is spoken. */
  readonly certificate: Certificate | undefined;
}

/** All of them, at rest. Rejects with `StoreError`, and with `OptionsError` for what only files can tell. */
export async function roomsIn(house: House, identity?: TlsIdentity): Promise<Rooms> {
  const { options } = house;
  const health = healthIn(house);
  const events = eventsIn(house, health);
  const secrets = await webhookSecrets(options);
  const webhooks = createWebhooks({ ...house, wallClock: house.machineTime, ...events, secrets, bridge: hostname() });
  const keeping = await keepingIn(house, events);
  const door = await openDoor(house).catch(async (error) => {
    await keeping?.close();
    throw error;
  });
  const probes = probesIn(house);
  const isDraining = () => health.statusOf('bridge') !== 'serving';
  const around = { door, checkTimes: probes.times, durability: keeping, isDraining, onOperated: events.changed };
  const nacos = nacosIn(house, around);
  nacos.onMapping((namespace, name, content) => health.noteApplications(namespace, name, content));
  const rooms = {
    health,
    watches: new Watches(health, options, house),
    nacos,
    probes,
    keeping,
    door,
    sweeper: new Sweeper({ ...house, stalled: (detail) => events.note('stalled', { detail }) }),
    events,
    webhooks,
    certificate: identity && certificateIn(house, identity, events),
  };
  return { ...rooms, metrics: metricsIn(house, rooms) };
}

/** What it tells of services is what health tells of them. */
function eventsIn(house: House, health: Health): Events {
  house.http2Totals.follow(({ reason, peer }) => house.refused.tell({ reason, peer: peer && plainAddress(peer) }));
  return createEvents({
    ...house,
    // When it was, by the clock that everybody else has: what others are told must not go back may run ahead of it after a restart.
    wallClock: house.machineTime,
    limits: house.options,
    saidOfRefusal,
    standingOf: (service) => health.statusOf(selectAll(service)),
    countsOf: (service) => health.countsOf(service),
    onStanding: (listener) => health.onService(listener),
  });
}

function certificateIn(house: House, identity: TlsIdentity, { note }: Events): Certificate {
  const { options, scheduler, machineTime: wallClock, log } = house;
  const tell: CertificateRoom['tell'] = (form, facts) => note('certificate', { detail: { form, ...facts } });
  // A clock that was wrong at the start is put right some day.
  return new Certificate(identity, { scheduler, wallClock, tell, log, warnDays: options.tlsWarnDays });
}

/**
 * What was kept is given back, and followed from then on: nobody is served before. Rejects with `StoreError`, and with `OptionsError` for
 * what only a room can tell.
 */
export async function furnish(house: House, rooms: Rooms): Promise<void> {
  const { nacos, keeping, door } = rooms;
  const faults = defaultServiceFaults(house.options);
  if (faults.length > 0) throw new OptionsError(faults);
  const { comeBackWithinMs: heldMs, rememberForMs, probes } = house.options;
  const since = house.now();
  const parts = [
    ...nacos.durable,
    door.users.durableUsers,
    door.users.durableRules,
    door.users.durableEnds,
    rooms.events.kept,
    rooms.webhooks,
  ];
  await keeping?.begin(house.registry, parts, { heldMs, rememberForMs, risingClock: house.risingClock });
  // Nobody could be heard meanwhile, and a large store takes long.
  if (keeping !== undefined) house.registry.postpone(house.now() - since);
  if (!probes) forgetFindings(house.registry);
  rooms.events.start();
  house.registry.drains.tellOver();
  rooms.webhooks.start();
  rooms.certificate?.start();
  rooms.metrics.start(standingsIn(house, (service) => rooms.health.statusOf(selectAll(service))));
  for (const notice of door.notices()) house.log.warn(notice);
}

/** Each in any state, once nobody is served any more. Webhooks have so long to be told the rest. What is to survive is written last. */
export async function closeRooms(rooms: Rooms, lastWordsMs = 0): Promise<void> {
  const { health, nacos, probes, keeping, door, sweeper, events, webhooks, metrics, certificate } = rooms;
  sweeper.stop();
  metrics.stop();
  door.close();
  events.stop();
  certificate?.stop();
  await webhooks.finish(lastWordsMs);
  await probes.stop();
  nacos.close();
  health.close();
  await keeping?.close();
}

/** What a health name may be, only health knows. */
export function defaultServiceFaults({ defaultService }: Pick<Options, 'defaultService'>): readonly string[] {
  if (parseHealthName(defaultService, HOME) !== undefined) return [];
  return [`the default service must be ${NAME_FORM}, got ${JSON.stringify(defaultService.slice(0, 200))}`];
}

/** What has to do with sockets and files goes by the machine's own timers, whatever the clock is. */
export function houseOf(options: Options, log: Logger, hasTls: boolean, clock?: Clock): House {
  const { forgetAfterMs, keepEditsMs, maxRemembered, restartGraceMs: graceMs, riseBeats } = options;
  const machineNow = () => performance.now();
  const now = clock?.now ?? machineNow;
  const risingClock = new RisingClock(clock?.wallClock ?? (() => performance.timeOrigin + machineNow()));
  const onListenerError = (err: unknown) => log.error({ err }, 'a listener of the registry failed');
  const shutdown = new AbortController();
  const refused = new Refused();
  const taps = new Taps();
  // One listener for each open call, by design.
  setMaxListeners(0, shutdown.signal);
  return {
    options,
    hasTls,
    registry: new Registry(now, {
      originOf,
      silenceOf,
      forgetAfterMs,
      keepEditsMs,
      maxRemembered,
      graceMs,
      riseBeats,
      onBeat: beatsTold(taps),
      onListenerError,
    }),
    scheduler: clock ?? systemScheduler,
    now,
    risingClock,
    wallClock: risingClock.now,
    machineTime: clock?.wallClock ?? Date.now,
    clock,
    log,
    lines: linesOf(clock ?? systemScheduler, log),
    openAnswers: new OpenAnswers(),
    bodies: new HeldBodies(options, refused),
    shutdown,
    seats: seatsOf(options, machineNow, log, refused),
    http2Totals: new Totals(),
    refused,
    taps,
  };
}

function healthIn({ options, registry, scheduler, now }: House): Health {
  const minAvailable = parseMinAvailable(options.minAvailable) ?? ONE_AVAILABLE;
  return new Health(registry, { home: HOME, minAvailable, patience: options, limits: options, scheduler, now });
}

async function keepingIn({ options, machineTime: wallClock, log }: House, { note }: Events): Promise<Keeping | undefined> {
  // How long nobody has looked, the machine's own clock knows best: it goes on while the machine sleeps, and is put right.
  return options.dataDir === 'none'
    ? undefined
    : Keeping.open(options.dataDir, { scheduler: systemScheduler, wallClock, log, told: storeNews(note) });
}

interface Around {
  readonly door: Door;
  readonly checkTimes: CheckTimes;
  readonly durability: Keeping | undefined;
  readonly isDraining: () => boolean;
  readonly onOperated: Events['changed'];
}

function nacosIn(house: House, { door, ...around }: Around): Nacos {
  const { auth, pushDelayMs, pushToClientIp, probes } = house.options;
  const { login, ...gate } = gateOf(door);
  const access = auth ? { gate: { ...gate, login }, desk: door.userAdmin } : { gate };
  const pushing = { pushDelayMs, pushToClientIp };
  return createNacos({ ...house, ...around, ...access, ...pushing, limits: withinHeap(house.options), isChecking: probes });
}

interface Probes {
  readonly times: CheckTimes;
  readonly start: (rules: ProbeRules) => void;
  readonly stop: () => Promise<void>;
  /** How much there is to do, in a few words. */
  readonly says: () => string;
}

/** Active checks; none are made when they are off. */
function probesIn({ options, registry, scheduler, now, log, seats, clock }: House): Probes {
  // The table of options takes nothing else.
  const allow = AddressSet.parse(options.probeAllow) ?? new AddressSet([]);
  const checks = createChecks({ allow, resolveNames: options.probeNames });
  const limits = options.probes ? { ...options, maxProbes: seats.setAside(options.maxProbes) } : options;
  const random = clock === undefined ? Math.random : () => 0.5;
  const prober = new Prober({ registry, scheduler, now, random, busy: loopUse(now), check: checks.check, limits, log });
  clock?.waitFor?.(() => prober.underWay > 0);
  return {
    times: prober.times,
    start: (rules) => {
      if (options.probes) prober.start(rules);
    },
    stop: () => {
      prober.stop();
      return checks.close();
    },
    says: () => (options.probes ? `${prober.targetCount} instances checked, ${prober.underWay} checks under way` : 'off'),
  };
}
