import type { Logger } from 'pino';
import { groupedName } from '../registry/service-name.ts';
import type { LineBudget } from '../wire/line-budget.ts';
import { shown } from '../wire/shown.ts';
import { levelOf } from './causes.ts';
import type { History } from './history.ts';
import type { EventRecord } from './record.ts';
import { sentenceOf } from './view.ts';

/**
 * Writes what happened to the log: what services are now, and what happened to very many, for everybody; what happened to instances and
 * changed no service, for who looks closer. So many lines a second for everybody, whatever happens, and the rest is counted.
 */
export class EventLog {
  readonly #lines: LineBudget;
  readonly #log: Logger;
  readonly #stopListening: () => void;

  constructor(history: History, lines: LineBudget, log: Logger) {
    this.#lines = lines;
    this.#log = log;
    this.#stopListening = history.onEvent((record) => this.#note(record));
  }

  stop(): void {
    this.#stopListening();
    this.#lines.stop();
  }

  #note(record: EventRecord): void {
    const level = levelOf(record);
    if (!this.#log.isLevelEnabled(level)) return;
    // The process itself has little to say, and that is not to be lost among what others do.
    if (level === 'debug' || isOfItself(record) || this.#lines.take())
      this.#log[level](legible(this.#factsOf(record)), shown(sentenceOf(record)));
  }

  #factsOf(record: EventRecord): object {
    const { seq, cause, service, from, to, by, detail, counts, count } = record;
    const named = service && { namespace: service.namespace, service: groupedName(service) };
    const who = (record.instances ?? []).slice(0, MOST_NAMED).map(({ ip, port }) => `${ip}:${port}`);
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
}

/** What clients and operators have written may be anything, and whoever reads a log often does so on a terminal. */
function legible(facts: object): object {
  return Object.fromEntries(Object.entries(facts).map(([key, fact]) => [shown(key), legibleFact(fact)]));
}

function legibleFact(fact: unknown): unknown {
  if (Array.isArray(fact)) return fact.map(legibleFact);
  return typeof fact === 'string' ? shown(fact) : fact;
}

function isOfItself({ kind, cause }: EventRecord): boolean {
  return kind === 'bridge' && cause !== 'configured' && cause !== 'refused';
}

/** The first of those who are meant: a line is for eyes, and the record has the others. */
const MOST_NAMED = 20;
