import type { Instance } from '../registry/instance.ts';
import { groupedName, type ServiceName } from '../registry/service-name.ts';
import { javaDouble } from './doubles.ts';
import { DEFAULT_BEAT_INTERVAL_MS } from './rules.ts';
import type { NacosSettings } from './settings.ts';
import { Pieces, Written } from './written.ts';

/**
 * Lists as text: registry -> the very JSON that `writeJson` makes of the views, written by hand, as consumers ask for lists by the
 * thousand and a list may be of a hundred thousand. Instances are added one by one, so that whoever writes can pause in between.
 */

/** Which instances of a service a list shows, and how it calls it. */
export interface ListKind {
  /** Empty means all. */
  readonly clusters: readonly string[];
  /** The request's own spelling: clients find their cached data by name and this text, so it must come back to the letter. */
  readonly clustersVerbatim: string;
  readonly healthyOnly: boolean;
  /** Whether the names in the answer carry the group: Java and npm find their own instances by it, others get the bare name. */
  readonly grouped: boolean;
}

/** What of a list is another with each request for it. */
export interface ListMoment {
  readonly cacheMillis: number;
  /** Milliseconds of the wall clock; clients ignore an answer that is older than one they have. */
  readonly lastRefTime: number;
  readonly env: string;
}

/** The list of a service, made once for as long as it does not change. It is asked for in two shapes, which have their hosts in common. */
export class ListText {
  /** Nobody is in its clusters, enabled or not. */
  readonly isOfNobody: boolean;
  /** Nobody in its clusters is enabled. */
  readonly isEmpty: boolean;
  /** How long it is at least. */
  readonly bytes: number;
  readonly #parts: ListParts;

  constructor(parts: ListParts, { chosen, enabled }: { readonly chosen: number; readonly enabled: number }) {
    this.isOfNobody = chosen === 0;
    this.isEmpty = enabled === 0;
    const { start, hosts, middle, end } = parts;
    this.bytes = hosts.bytes + [start, middle, end].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    this.#parts = parts;
  }

  /** The same as clients of 2.x and 3.x read it over gRPC. Rust's wants every one of these fields. */
  infoAt({ cacheMillis, lastRefTime }: Pick<ListMoment, 'cacheMillis' | 'lastRefTime'>): readonly string[] {
    const { infoStart, hosts, infoEnd } = this.#parts;
    return [infoStart + String(cacheMillis), ...hosts.pieces, String(lastRefTime) + infoEnd];
  }

  /** As it is answered now. */
  at({ cacheMillis, lastRefTime, env }: ListMoment): Written {
    const { start, hosts, middle, end } = this.#parts;
    const shown = env === '' ? '""' : JSON.stringify(env);
    const [only] = hosts.pieces;
    const cache = String(cacheMillis);
    const time = String(lastRefTime);
    const bytes = this.bytes + cache.length + time.length + (env === '' ? 2 : Buffer.byteLength(shown));
    // Short ones, as nearly all are, in one text.
    return hosts.pieces.length === 1 && only !== undefined
      ? new Written([start + cache + only + time + middle + shown + end], bytes)
      : new Written([start + cache, ...hosts.pieces, time + middle + shown + end], bytes);
  }
}

interface ListParts {
  /** Up to the time for which it is good. */
  readonly start: string;
  /** From there up to the time from which it is. */
  readonly hosts: Written;
  /** From there up to where it is asked from. */
  readonly middle: string;
  readonly end: string;
  /** The start and the end of the other shape. */
  readonly infoStart: string;
  readonly infoEnd: string;
}

/** Writes the list of a service as consumers read it: what 1.x and what 2.x answer, in one. */
export class ListWriter {
  readonly #service: ServiceName;
  readonly #kind: ListKind;
  readonly #settings: NacosSettings;
  readonly #isProtecting: boolean;
  readonly #write: (instance: Instance, healthy: boolean) => string;
  // Nacos lists the unhealthy first.
  readonly #unhealthy = new Pieces();
  readonly #healthy = new Pieces();
  #chosen = 0;
  #enabled = 0;

  /** `isProtecting`: all are shown as healthy, to protect the few that are. */
  constructor(service: ServiceName, kind: ListKind, settings: NacosSettings, isProtecting: boolean) {
    this.#service = service;
    this.#kind = kind;
    this.#settings = settings;
    this.#isProtecting = isProtecting;
    this.#write = hostWriter(service, kind.grouped ? groupedName(service) : service.name);
  }

  add(instance: Instance): void {
    if (!isIn(this.#kind.clusters, instance)) return;
    this.#chosen++;
    if (!instance.enabled) return;
    this.#enabled++;
    const healthy = instance.healthy || this.#isProtecting;
    if (healthy) this.#healthy.add(this.#write(instance, true));
    else if (!this.#kind.healthyOnly) this.#unhealthy.add(this.#write(instance, false));
  }

  finish(): ListText {
    const { group, name } = this.#service;
    const grouped = JSON.stringify(groupedName(this.#service));
    const shown = this.#kind.grouped ? grouped : JSON.stringify(name);
    const clusters = JSON.stringify(this.#kind.clustersVerbatim);
    const protecting = `"reachProtectionThreshold":${this.#isProtecting},"valid":true`;
    const parts = {
      start: `{"name":${grouped},"groupName":${JSON.stringify(group)},"clusters":${clusters},"cacheMillis":`,
      hosts: this.#unhealthy.with(this.#healthy).between(',"hosts":[', '],"lastRefTime":'),
      middle: `,"checksum":"","allIPs":false,${protecting},"dom":${shown},"useSpecifiedURL":false,"env":`,
      end: `,"metadata":${JSON.stringify(this.#settings.metadata)}}`,
      infoStart: `{"name":${JSON.stringify(name)},"groupName":${JSON.stringify(group)},"clusters":${clusters},"cacheMillis":`,
      // One is 3.x's spelling, the other that of all before.
      infoEnd: `,"checksum":"","allIps":false,"allIPs":false,${protecting}}`,
    };
    return new ListText(parts, { chosen: this.#chosen, enabled: this.#enabled });
  }
}

/** Whether it is in one of the clusters; in any when none is named. */
export function isIn(clusters: readonly string[], { cluster }: Pick<Instance, 'cluster'>): boolean {
  return clusters.length === 0 || clusters.includes(cluster);
}

/** Writes instances of one service as `hostView` shows them, each as healthy as is said. */
export function hostWriter(service: ServiceName, shownName: string): (instance: Instance, healthy: boolean) => string {
  const grouped = inner(groupedName(service));
  const name = JSON.stringify(shownName);
  // Most instances of a service are in one cluster.
  let cluster = '';
  let written = '';
  return (instance, healthy) => {
    if (instance.cluster !== cluster) {
      cluster = instance.cluster;
      written = inner(cluster);
    }
    const ip = inner(instance.ip);
    const { port, weight, enabled, ephemeral, metadata, silence } = instance;
    return (
      `{"instanceId":"${ip}#${port}#${written}#${grouped}","ip":"${ip}","port":${port},"weight":${javaDouble(weight)},` +
      `"healthy":${healthy},"enabled":${enabled},"ephemeral":${ephemeral},"clusterName":"${written}","serviceName":${name},` +
      `"metadata":${metadataJson(metadata)},"instanceHeartBeatInterval":${silence.beatIntervalMs ?? DEFAULT_BEAT_INTERVAL_MS},` +
      `"instanceHeartBeatTimeOut":${silence.unhealthyAfterMs},"ipDeleteTimeout":${silence.removedAfterMs},` +
      `"instanceIdGenerator":"simple","valid":${healthy},"marked":false}`
    );
  };
}

function metadataJson(metadata: Instance['metadata']): string {
  for (const _ in metadata) return JSON.stringify(metadata);
  return '{}';
}

/** As it stands between quotes. */
function inner(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text).slice(1, -1);
}

/** Texts that stand in JSON as they are, as nearly all do. */
const PLAIN = /^[\w.:@#/$-]*$/;
