import type { Logger } from 'pino';
import type { RegistryEvent } from '../registry/changes.ts';
import type { Registry } from '../registry/registry.ts';
import { groupedName } from '../registry/service-name.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';

/** Writes who has fallen silent, so that the log stays readable: so many lines a second, and the rest counted. */
export class SilenceLog {
  readonly #scheduler: Scheduler;
  readonly #log: Logger;
  readonly #stopListening: () => void;
  #cancelSummary: Cancel | undefined;
  /** Within the second that began with the first of them. */
  #lines = 0;
  #unwritten = 0;

  constructor(registry: Registry, scheduler: Scheduler, log: Logger) {
    this.#scheduler = scheduler;
    this.#log = log;
    this.#stopListening = registry.onEvent((event) => this.#note(event));
  }

  stop(): void {
    this.#stopListening();
    this.#cancelSummary?.();
  }

  #note({ cause, service, instance, silentMs, count }: RegistryEvent): void {
    if (cause === 'mass-silence') this.#log.warn({ count }, 'very many instances fell silent at once, removals are slowed');
    if (cause === 'mass-loss') this.#log.warn({ count }, 'very many connections ended at once, their instances are kept for now');
    if ((cause !== 'silent' && cause !== 'removed') || service === undefined || instance === undefined) return;
    this.#cancelSummary ??= this.#scheduler.after(1_000, () => this.#summarize());
    if (++this.#lines > MAX_LINES_A_SECOND) {
      this.#unwritten++;
      return;
    }
    const { ip, port, cluster } = instance;
    const facts = { namespace: service.namespace, service: groupedName(service), ip, port, cluster, silentMs };
    this.#log.info(facts, cause === 'removed' ? 'instance removed' : 'instance unhealthy');
  }

  #summarize(): void {
    if (this.#unwritten > 0) this.#log.info({ count: this.#unwritten }, 'more instances fell silent or were removed');
    this.#cancelSummary = undefined;
    this.#lines = 0;
    this.#unwritten = 0;
  }
}

const MAX_LINES_A_SECOND = 20;
