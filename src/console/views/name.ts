import type { ServiceName } from '../../registry/service-name.ts';
import type { NameFacts } from '../api.ts';
import { Foremost } from '../foremost.ts';
import { AT_ONCE, known, type Look, type LookRoom, type View } from '../look.ts';
import { STATUS_OF, serviceRowOf } from '../service-rows.ts';
import type { Reader, Resolved } from '../sources.ts';

/** A name that somebody may ask health for: how it reads, by what it is found, what it means now, and which are like it. */
export const name: View = {
  open(params, room) {
    // A name is of a certain length: of one that is too long health itself says so.
    const asked = known(params, ['name'], MOST_ASKED);
    return typeof asked === 'string' ? asked : { look: (reader) => look(asked.name ?? '', reader, room) };
  },
};

function* look(text: string, reader: Reader, room: LookRoom): Look<'name'> {
  const { health, listening } = room;
  const resolved = health.resolve(text);
  const { fault, status, selector } = resolved;
  const means: ServiceName[] = [];
  let [meant, looks] = [0, 0];
  for (const service of resolved.services) {
    if (++looks % AT_ONCE === 0) yield undefined;
    if (!reader.maySee(service)) continue;
    meant++;
    if (means.length < MOST_MEANT) means.push(service);
  }
  const like = yield* likeOf(partOf(text, resolved), reader, room);
  const where = listening();
  const facts: NameFacts = {
    name: text,
    fault: fault ?? null,
    // It is told to whoever may ask for health, and that is whoever may look at anything here.
    status: status === undefined ? null : STATUS_OF[status],
    read: fault !== undefined ? null : readOf(selector),
    by: byOf(resolved, meant),
    means: means.map((service) => serviceRowOf(service, room)),
    meansCount: meant,
    like: like.filter((one) => one !== text),
    asking: where === undefined || fault !== undefined ? null : { name: text, ...where, needsLogin: health.needsLogin },
  };
  return { facts, rows: [] };
}

/** Of what he may not see, nobody hears in which form it is there. */
function byOf({ by, status }: Resolved, meant: number): NameFacts['by'] {
  if (by === undefined || by === 'bridge' || meant > 0) return by ?? null;
  return status === 'unknown' ? 'none' : null;
}

function readOf(selector: Resolved['selector']): NameFacts['read'] {
  if (selector === undefined) return { isBridge: true };
  const { service, cluster, instance, dubbo } = selector;
  return {
    isBridge: false,
    namespace: service.namespace,
    group: service.group,
    service: service.name,
    ...(cluster !== undefined && { cluster }),
    ...(instance !== undefined && { instance: `${instance.ip}:${instance.port}` }),
    ...(dubbo !== undefined && {
      dubbo: {
        interface: dubbo.interface,
        ...(dubbo.group !== undefined && { group: dubbo.group }),
        ...(dubbo.version !== undefined && { version: dubbo.version }),
      },
    }),
  };
}

/** By which others are looked for that are like it. */
function partOf(text: string, { selector }: Resolved): string {
  const [said = ''] = text.split('?', 1);
  // Not by a pattern, which would begin anew at each character of a long text.
  const last = said.slice(Math.max(said.lastIndexOf('@'), said.lastIndexOf('/')) + 1);
  return (selector?.dubbo?.interface ?? last).trim().toLowerCase();
}

/** Those that begin so, and then those that have it in them: each by its shortest name. */
function* likeOf(part: string, reader: Reader, { registry, health }: LookRoom): Generator<undefined, readonly string[], void> {
  const found = new Foremost<Like>((a, b) => a.at - b.at || (a.service.name < b.service.name ? -1 : 1), MOST_LIKE);
  let looks = 0;
  for (const namespace of [...registry.namespaces()])
    for (const service of registry.services(namespace)) {
      if (++looks % AT_ONCE === 0) yield undefined;
      const at = service.name.toLowerCase().indexOf(part);
      if (at >= 0 && reader.maySee(service)) found.add({ at: Math.min(1, at), service });
    }
  return found.all.map(({ service }) => health.nameOf(service));
}

interface Like {
  /** 0 where it begins so. */
  readonly at: number;
  readonly service: ServiceName;
}

const MOST_ASKED = 4_096;
const MOST_MEANT = 50;
/** One of them may be the name itself. */
const MOST_LIKE = 11;
