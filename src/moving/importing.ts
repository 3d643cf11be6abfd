import { edited } from '../registry/overlay.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import { MOST_CALLS } from './api.ts';
import { MovingError, RefusedError } from './errors.ts';
import {
  DEFAULT_CLUSTER,
  type EditLine,
  type InstanceLine,
  type InstanceSaid,
  isDefaultCluster,
  type Line,
  type NamespaceLine,
  type ServiceLine,
  serviceOf,
  titleOf,
} from './lines.ts';
import type { FoundService, Peer } from './peer.ts';
import type { Numbered } from './reading.ts';
import { isSameCluster, isSameEdit, isSameInstance, isSameService, lacksPassword, tellsPassword } from './sameness.ts';

/**
 * Brings lines into a server, a few at a time and nearly in their order, those of one service with few questions. What is there
 * already and differs stays, unless it is to be overwritten; so once more does no harm. A line that the server refuses is noted, and
 * the next is tried; a server that cannot be reached ends it.
 */
export class Importing {
  readonly #peer: Peer;
  readonly #how: ImportHow;
  readonly #tally = new Map<Line['kind'], Tally>();
  readonly #refusals: { readonly number: number; readonly text: string }[] = [];
  readonly #notes: string[] = [];
  #refused = 0;
  readonly #running = new Set<Promise<void>>();
  /** What ended it, and at which line. */
  #end: { readonly number: number; readonly error: unknown } | undefined;
  /** What is there, as it was when it was first asked for; of services and edits, what was asked for last. */
  readonly #namespaces = new Latest<ReadonlyMap<string, NamespaceLine>>();
  readonly #switches = new Latest<ReadonlyMap<string, string>>();
  readonly #service = new Latest<There>();
  readonly #edits = new Latest<ReadonlyMap<string, EditLine>>();

  constructor(peer: Peer, how: ImportHow) {
    this.#peer = peer;
    this.#how = how;
  }

  /** Rejects with `MovingError` when it cannot go on; what was done until then is in the report. */
  async run(lines: AsyncIterable<Numbered>): Promise<void> {
    let phase = 0;
    let service: { readonly key: string; readonly done: Promise<void> } | undefined;
    try {
      for await (const { number, line } of lines) {
        if (PHASES[line.kind] !== phase) await this.#drain();
        phase = PHASES[line.kind];
        while (this.#running.size >= MOST_CALLS) await Promise.race(this.#running);
        if (this.#end !== undefined) break;
        // An instance must not make its service before that is made as it was.
        const before = line.kind === 'instance' && service?.key === serviceKey(serviceOf(line)) ? service.done : undefined;
        const done = this.#step(line, number, before);
        if (line.kind === 'service') service = { key: serviceKey(line), done };
      }
    } finally {
      await this.#drain();
    }
    if (this.#end === undefined) return;
    const { number, error } = this.#end;
    if (!(error instanceof MovingError)) throw error;
    throw new MovingError(`stopped at line ${number}: ${error.message}`, { cause: error });
  }

  async #drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.race(this.#running);
  }

  /** Never rejects. */
  #step(line: Line, number: number, before: Promise<void> | undefined): Promise<void> {
    const done = this.#tried(line, number, before).finally(() => this.#running.delete(done));
    this.#running.add(done);
    return done;
  }

  async #tried(line: Line, number: number, before: Promise<void> | undefined): Promise<void> {
    try {
      await before;
      if (this.#end !== undefined) return;
      this.#count(line.kind, await this.#bring(line, number));
    } catch (error) {
      if (error instanceof RefusedError) this.#refuse(line, number, error);
      else if (this.#end === undefined || number < this.#end.number) this.#end = { number, error };
    }
  }

  #refuse(line: Line, number: number, { message }: RefusedError): void {
    this.#count(line.kind, 'refused');
    this.#refused++;
    if (this.#refusals.length < MOST_TOLD) this.#refusals.push({ number, text: `line ${number}: ${titleOf(line)}: ${message}` });
  }

  get report(): ImportReport {
    return {
      tally: [...this.#tally],
      refusals: this.#refusals.sort((a, b) => a.number - b.number).map(({ text }) => text),
      refused: this.#refused,
      notes: this.#notes,
    };
  }

  #bring(line: Line, number: number): Promise<Outcome> {
    switch (line.kind) {
      case 'namespace':
        return this.#bringNamespace(line);
      case 'service':
        return this.#bringService(line, number);
      case 'instance':
        return this.#bringInstance(line);
      case 'edit':
        return this.#bringEdit(line);
      case 'text':
        return this.#bringText(line);
      case 'switch':
        return this.#bringSwitch(line);
    }
  }

  async #bringNamespace(line: NamespaceLine): Promise<Outcome> {
    const all = await this.#namespaces.of('', async () => new Map((await this.#peer.namespaces()).map((one) => [one.id, one])));
    const there = all.get(line.id);
    const isSame = there?.name === line.name && there.description === line.description;
    return this.#settle(there !== undefined, isSame, () => this.#peer.putNamespace(line, there !== undefined));
  }

  async #bringService(line: ServiceLine, number: number): Promise<Outcome> {
    const { found } = await this.#find(line);
    const clusters = Object.entries(line.clusters);
    if (!this.#peer.isBeatbridge) for (const [name, { healthChecker }] of clusters) checkKnown(name, healthChecker);
    const there = found?.said;
    const isSame = there !== undefined && isSameService(there, line);
    const wasTold = clusters.some(([, { healthChecker }]) => tellsPassword(healthChecker));
    // Whether a password is the same, nobody tells.
    const outcome = await this.#settle(there !== undefined, isSame && !(wasTold && this.#how.overwrite), async () => {
      if (!isSame) await this.#peer.putService(line, line, found !== undefined);
      const before = new Map(Object.entries(there?.clusters ?? {}));
      for (const [name, said] of clusters) {
        const old = before.get(name);
        if (old !== undefined && isSameCluster(old, said) && !tellsPassword(said.healthChecker)) continue;
        await this.#peer.putCluster(line, name, said);
      }
      for (const [name, said] of before)
        if (!Object.hasOwn(line.clusters, name) && !isDefaultCluster(said))
          await this.#peer.putCluster(line, name, DEFAULT_CLUSTER);
    });
    if (outcome === 'added' || outcome === 'replaced') this.#notePasswords(line, number);
    return outcome;
  }

  #notePasswords(line: ServiceLine, number: number): void {
    for (const [name, { healthChecker }] of Object.entries(line.clusters)) {
      if (!lacksPassword(healthChecker) || this.#notes.length >= MOST_TOLD) continue;
      const check = `the MYSQL check of cluster ${name} of ${titleOf(line)}`;
      this.#notes.push(`line ${number}: the file has no password for ${check}: set it again`);
    }
  }

  async #bringInstance(line: InstanceLine): Promise<Outcome> {
    const service = serviceOf(line);
    const there = (await this.#find(service)).instances.get(placeOf(line));
    const { edit, ...plain } = line;
    // A Nacos knows no edits: it gets what is in force.
    const said = this.#peer.isBeatbridge ? plain : edited(plain, edit);
    const isSame =
      there !== undefined && isSameInstance(there, said) && (!this.#peer.isBeatbridge || isSameEdit(there.edit, edit));
    return this.#settle(there !== undefined, isSame, async () => {
      if (this.#peer.isBeatbridge) await this.#putEdited(line, said, there);
      else await this.#peer.putInstance(service, said);
    });
  }

  /** At no moment may callers see what an edit hides: it is laid before its instance is said, and taken away only after that. */
  async #putEdited({ edit, ...line }: InstanceLine, said: InstanceSaid, there: InstanceSaid | undefined): Promise<void> {
    const service = serviceOf(line);
    const lay = edit === undefined ? undefined : () => this.#peer.putEdit({ ...line, kind: 'edit', edit });
    await lay?.();
    try {
      await this.#peer.putInstance(service, said);
    } catch (error) {
      // Else it would wait for an instance that is not to come.
      if (error instanceof RefusedError && lay !== undefined && there === undefined) await this.#peer.endEdit(service, line);
      throw error;
    }
    // A server on which edits outlive no instance lets none wait for one either.
    if (there === undefined) await lay?.();
    else if (edit === undefined && there.edit !== undefined) await this.#peer.endEdit(service, line);
  }

  async #bringEdit(line: EditLine): Promise<Outcome> {
    if (!this.#peer.isBeatbridge)
      throw new RefusedError(0, 'a Nacos keeps no edit of an instance that is not there; edit it when it is');
    const all = await this.#edits.of(line.namespace, async () => {
      const edits = await this.#peer.edits(line.namespace);
      return new Map(edits.map((edit) => [`${serviceKey(serviceOf(edit))} ${placeOf(edit)}`, edit]));
    });
    const there = all.get(`${serviceKey(serviceOf(line))} ${placeOf(line)}`);
    return this.#settle(there !== undefined, isSameEdit(there?.edit, line.edit), () => this.#peer.putEdit(line));
  }

  async #bringText(line: Extract<Line, { kind: 'text' }>): Promise<Outcome> {
    const there = await this.#peer.text(line.namespace, line);
    const isSame = there?.content === line.content && there.type === line.type;
    return this.#settle(there !== undefined, isSame, () => this.#peer.putText(line));
  }

  async #bringSwitch(line: Extract<Line, { kind: 'switch' }>): Promise<Outcome> {
    if (!this.#peer.isBeatbridge) throw new RefusedError(0, 'the switches of a Nacos tune that Nacos: set them there');
    const all = await this.#switches.of(
      '',
      async () => new Map((await this.#peer.switches()).map((one) => [switchKey(one), one.value])),
    );
    const there = all.get(switchKey(line));
    return this.#settle(there !== undefined, there === line.value, () => this.#peer.putSwitch(line));
  }

  async #settle(isThere: boolean, isSame: boolean, write: () => Promise<void>): Promise<Outcome> {
    if (isSame) return 'unchanged';
    if (isThere && !this.#how.overwrite) return 'kept';
    if (!this.#how.dryRun) await write();
    return isThere ? 'replaced' : 'added';
  }

  #find(service: ServiceName): Promise<There> {
    return this.#service.of(serviceKey(service), async () => {
      const found = await this.#peer.service(service);
      return { found, instances: new Map(found?.instances.map((one) => [placeOf(one), one])) };
    });
  }

  #count(kind: Line['kind'], outcome: Outcome): void {
    const tally = this.#tally.get(kind) ?? { added: 0, replaced: 0, unchanged: 0, kept: 0, refused: 0 };
    this.#tally.set(kind, { ...tally, [outcome]: tally[outcome] + 1 });
  }
}

/** What was asked for last, and is not asked for again as long as it is wanted. */
class Latest<T> {
  #held: { readonly key: string; readonly answer: Promise<T> } | undefined;

  of(key: string, ask: () => Promise<T>): Promise<T> {
    if (this.#held?.key !== key) this.#held = { key, answer: ask() };
    return this.#held.answer;
  }
}

/** A service as it was before the first of its lines. */
interface There {
  readonly found: FoundService | undefined;
  readonly instances: ReadonlyMap<string, InstanceSaid>;
}

/** Those of one phase wait for all before: edits for their instances, and switches, which may close doors, for everything. */
const PHASES: Readonly<Record<Line['kind'], number>> = { namespace: 1, service: 2, instance: 2, edit: 3, text: 4, switch: 5 };

export interface ImportHow {
  /** In place of what is there and differs. */
  readonly overwrite: boolean;
  /** Asks, and writes nothing. */
  readonly dryRun: boolean;
}

/** `kept`: there is another already, and it stays. */
export type Outcome = 'added' | 'replaced' | 'unchanged' | 'kept' | 'refused';
export type Tally = Readonly<Record<Outcome, number>>;

export interface ImportReport {
  readonly tally: readonly (readonly [kind: Line['kind'], tally: Tally])[];
  /** Each with its line; of very many the first. */
  readonly refusals: readonly string[];
  readonly refused: number;
  /** What is still to be done by hand. */
  readonly notes: readonly string[];
}

const MOST_TOLD = 100;

function placeOf({ ip, port }: Pick<InstanceSaid, 'ip' | 'port'>): string {
  return `${port} ${ip}`;
}

/** A Nacos takes a check that it does not know for none, and the instance for healthy for ever. */
function checkKnown(cluster: string, { type, tls }: Readonly<Record<string, unknown>>): void {
  if (type === 'GRPC' || tls === true)
    throw new RefusedError(0, `a Nacos knows no check by ${type === 'GRPC' ? 'GRPC' : 'TLS'} (cluster ${cluster})`);
}

/** One switch holds the versions of five languages. */
function switchKey({ entry, value }: { readonly entry: string; readonly value: string }): string {
  return entry === 'pushVersion' ? `${entry} ${value.split(':', 1)[0]}` : entry;
}
