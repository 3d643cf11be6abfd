import { readdir } from 'node:fs/promises';
import type { Registry as Collected } from 'prom-client';
import type { Family } from './exposition.ts';

/** A family as prom-client tells it, with all that there is of it. */
export interface CollectedFamily extends Family {
  readonly values: readonly {
    readonly metricName?: string;
    readonly labels: Readonly<Record<string, string | number>>;
    readonly value: number;
  }[];
}

/**
 * What Node and the system tell of the process, collected by prom-client from the first time on that somebody asks. What it would read file
 * by file or socket by socket, with everybody waiting, is left out.
 */
export class OfProcess {
  #collected: Promise<Collected> | undefined;

  async read(): Promise<readonly CollectedFamily[]> {
    this.#collected ??= collected();
    const registry = await this.#collected;
    const families = await registry.getMetricsAsJSON();
    // Its types say less than is there: the figures beside what describes them.
    return families as unknown as readonly CollectedFamily[];
  }
}

async function collected(): Promise<Collected> {
  const { collectDefaultMetrics, Registry } = await import('prom-client');
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of SLOW) registry.removeSingleMetric(name);
  return registry;
}

const SLOW = [
  'process_open_fds',
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
];

/** How many descriptors the process has open; undefined where the system does not say. */
export async function openDescriptors(): Promise<number | undefined> {
  try {
    // One of them is what reads them.
    return (await readdir('/proc/self/fd')).length - 1;
  } catch {
    return undefined;
  }
}

/** A process has one event loop, and one heap. */
export const PROCESS = new OfProcess();
