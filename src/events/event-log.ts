import type { Logger } from 'pino';
import { groupedName } from '../registry/service-name.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';
import { levelOf } from './causes.ts';
import type { History } from './history.ts';
import type { EventRecord } from './record.ts';
import { sentenceOf } from './view.ts';

/**
 * Writes what happened to the log: what services are now, and what happened to very many, for everybody; what happened to instances and
 * changed no service, for who looks closer. So many lines a second for everybody, whatever happens, and the rest is counted.
 */
export class EventLog {
  readonly #scheduler: Scheduler;
  readonly #log: Logger;
  readonly #history: History;
  readonly #stopListening: () => void;
  #cancelSummary: Cancel | undefined;
  /** Within the second that began with the first of them. */
  #lines = 0;
  #unwritten = 0;

  constructor(history: History, scheduler: Scheduler, log: Logger) {
    this.#history = history;
    this.#scheduler = scheduler;
    this.#log = log;
    this.#stopListening = history.onEvent((record) => this.#note(record));
  }

  stop(): void {
    this.#stopListening();
    this.#cancelSummary?.();
    this.#summarize();
  }

  #note(record: EventRecord): void {
    const level = levelOf(record);
    // The process itself has little to say, and that is not to be lost among what others do.
    if (level !== 'debug' && record.kind !== 'bridge' && this.#isOneTooMany()) this.#unwritten++;
    else if (this.#log.isLevelEnabled(level)) this.#log[level](this.#factsOf(record), sentenceOf(record));
  }

  #isOneTooMany(): boolean {
    this.#cancelSummary ??= this.#scheduler.after(1_000, () => {
      this.#cancelSummary = undefined;
      this.#summarize();
    });
    return ++this.#lines > MAX_LINES_A_SECOND;
  }

  #summarize(): void {
    if (this.#unwritten > 0) this.#log.info({ count: this.#unwritten }, 'more happened within this second: see /events');
    this.#lines = 0;
    this.#unwritten = 0;
  }

  #factsOf(record: EventRecord): object {
    const { seq, cause, service, from, to, by, detail, counts, count } = record;
    const named = service && { namespace: service.namespace, service: groupedName(service) };
    const who = this.#whoOf(record);
    return {
      seq,
      cause,
      ...named,
      from,
      to,
      ...by,
      ...detail,
      ...counts,
      ...(count !== undefined && { count }),
      ...(who.length > 0 && { who }),
    };
  }

  /** Of a service that has changed, the instances by which it did. */
  #whoOf(record: EventRecord): readonly string[] {
    return this.#history.behind(record).map(({ ip, port }) => `${ip}:${port}`);
  }
}

const MAX_LINES_A_SECOND = 20;
