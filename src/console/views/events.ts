import type { EventLine, EventsFacts } from '../api.ts';
import { AT_ONCE, known, type Look, type LookRoom, type View } from '../look.ts';
import type { Happened, Reader } from '../sources.ts';
import { maySee } from '../stream.ts';

/** What has happened: the last of it that is asked for, and from then on what happens, as it happens. */
export const events: View = {
  open(params, room) {
    const asked = known(params, ['namespace', 'service', 'cause', 'instance', 'text', 'since']);
    if (typeof asked === 'string') return asked;
    const since = asked.since === undefined ? undefined : room.events.timeSaid(asked.since);
    if (asked.since !== undefined && since === undefined)
      return 'since must be a time such as 2026-01-31T12:00:00Z, or how long ago: 90s, 15m, 1h';
    const causes = asked.cause?.split(',');
    const unknown = causes?.find((cause) => !room.events.causes.includes(cause));
    if (unknown !== undefined)
      return `cause must not be ${JSON.stringify(unknown.slice(0, 100))}: ${room.events.causes.join(', ')}`;
    const filter = new Filter({ ...asked, causes, since });
    const tail = new Tail(filter, room);
    return {
      look: (reader) => tail.look(reader),
      hears: (happened) => filter.takes(happened),
      toldOf: (happened) => filter.lineOf(happened, room.events.viewOf),
      onlyAtFirst: ONLY_AT_FIRST,
      isToldAtFirst: true,
    };
  },
};

/** What comes after them is told as it happens. */
const ONLY_AT_FIRST: ReadonlySet<string> = new Set(['events']);

/** The last that are asked for, found from the newest: at the next look only what has happened since is looked at. */
class Tail {
  readonly #filter: Filter;
  readonly #room: LookRoom;
  #found: readonly Found[] = [];
  /** Up to here all is looked at. */
  #seq: number | undefined;

  constructor(filter: Filter, room: LookRoom) {
    this.#filter = filter;
    this.#room = room;
  }

  *look(reader: Reader): Look<'events'> {
    const { events } = this.#room;
    const from = this.#seq;
    const last = events.lastSeq();
    const found: Found[] = [];
    let [looks, before] = [0, Number.POSITIVE_INFINITY];
    for (const happened of events.latest()) {
      // Where one is added while others have their turn, the ring has moved on, and shows some again.
      if (happened.seq >= before) continue;
      before = happened.seq;
      looks += 1 + (happened.instances?.length ?? 0);
      if (looks >= AT_ONCE) {
        looks = 0;
        yield undefined;
      }
      if ((from !== undefined && happened.seq <= from) || found.length >= MOST_LAST) break;
      if (this.#filter.takes(happened) && maySee(reader, happened))
        found.push({ happened, line: this.#filter.lineOf(happened, events.viewOf) });
    }
    // What somebody may see can be another now, and what is kept.
    const oldest = events.oldestSeq();
    const kept = this.#found.filter(({ happened }) => happened.seq >= oldest && maySee(reader, happened));
    this.#found = [...kept, ...found.reverse()].slice(-MOST_LAST);
    this.#seq = Math.max(last, this.#found.at(-1)?.happened.seq ?? 0);
    const facts: EventsFacts = { events: this.#found.map(({ line }) => line), causes: events.causes, most: MOST_LAST };
    return { facts, rows: [] };
  }
}

interface Found {
  readonly happened: Happened;
  readonly line: EventLine;
}

interface Asked {
  readonly namespace?: string;
  /** `orders`, or `G1@@orders`. */
  readonly service?: string;
  readonly causes: readonly string[] | undefined;
  /** `IP:PORT`, or an ip of any port. */
  readonly instance?: string;
  readonly text?: string;
  readonly since: number | undefined;
}

/** What somebody wants to hear of what happens. */
class Filter {
  readonly #asked: Asked;
  readonly #causes: ReadonlySet<string> | undefined;
  readonly #text: string | undefined;

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#causes = asked.causes && new Set(asked.causes);
    this.#text = asked.text?.toLowerCase();
  }

  takes(happened: Happened): boolean {
    const { namespace, service, instance, since } = this.#asked;
    const { service: of, cause, at, instances } = happened;
    if (since !== undefined && at < since) return false;
    if (this.#causes !== undefined && !this.#causes.has(cause)) return false;
    if (namespace !== undefined && of?.namespace !== namespace) return false;
    if (service !== undefined && of?.name !== service && `${of?.group}@@${of?.name}` !== service) return false;
    if (instance !== undefined && !instances?.some((one) => isMeant(one, instance))) return false;
    return this.#text === undefined || this.#says(happened, this.#text);
  }

  /** Those who are looked for are named first. */
  lineOf(happened: Happened, viewOf: (happened: Happened, most: number) => EventLine): EventLine {
    const { instance } = this.#asked;
    const { instances } = happened;
    if (instance === undefined || instances === undefined || instances.length <= MOST_NAMED) return viewOf(happened, MOST_NAMED);
    const meant = instances.filter((one) => isMeant(one, instance));
    return viewOf({ ...happened, instances: [...new Set([...meant, ...instances])] }, MOST_NAMED);
  }

  /** Of what many share only the first few are looked into. */
  #says({ service, cause, instances = [], by, detail }: Happened, text: string): boolean {
    const has = (one: unknown) => String(one).toLowerCase().includes(text);
    if (has(cause) || (service !== undefined && (has(service.name) || has(service.group) || has(service.namespace)))) return true;
    if (Object.values(by ?? {}).some(has) || Object.values(detail ?? {}).some(has)) return true;
    return instances.slice(0, MOST_READ).some(({ ip, port }) => has(`${ip}:${port}`));
  }
}

function isMeant({ ip, port }: { readonly ip: string; readonly port: number }, asked: string): boolean {
  return ip === asked || `${ip}:${port}` === asked || `[${ip}]:${port}` === asked;
}

/** As many as somebody scrolls through. */
const MOST_LAST = 200;
const MOST_NAMED = 10;
const MOST_READ = 100;
