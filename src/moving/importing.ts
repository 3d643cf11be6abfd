import { edited } from '../registry/overlay.ts';
import type { ServiceName } from '../registry/service-name.ts';
import { MovingError, RefusedError } from './errors.ts';
import { type EditLine, type InstanceLine, type Line, type ServiceLine, serviceOf, titleOf } from './lines.ts';
import type { FoundService, Peer } from './peer.ts';
import type { Numbered } from './reading.ts';
import { isSameCluster, isSameEdit, isSameInstance, isSameService, lacksPassword, tellsPassword } from './sameness.ts';

/**
 * Brings lines into a server, one after another as they stand in the file, those of one service with few questions. What is there
 * already and differs stays, unless it is to be overwritten; so once more does no harm. A line that the server refuses is noted, and
 * the next is tried; a server that cannot be reached ends it.
 */
export class Importing {
  readonly #peer: Peer;
  readonly #how: ImportHow;
  readonly #tally = new Map<Line['kind'], Tally>();
  readonly #refusals: string[] = [];
  readonly #notes: string[] = [];
  #refused = 0;
  #namespaces: ReadonlyMap<string, { readonly name: string; readonly description: string }> | undefined;
  #switches: ReadonlyMap<string, string> | undefined;
  /** Of the service whose lines are being read. */
  #service: { readonly key: string; readonly found: FoundService | undefined } | undefined;
  #edits: { readonly key: string; readonly found: readonly EditLine[] } | undefined;

  constructor(peer: Peer, how: ImportHow) {
    this.#peer = peer;
    this.#how = how;
  }

  /** Rejects with `MovingError` when it cannot go on; what was done until then is in the report. */
  async run(lines: AsyncIterable<Numbered>): Promise<void> {
    for await (const { number, line } of lines) {
      try {
        this.#count(line.kind, await this.#bring(line, number));
      } catch (error) {
        if (error instanceof MovingError) throw new MovingError(`stopped at line ${number}: ${error.message}`, { cause: error });
        if (!(error instanceof RefusedError)) throw error;
        this.#count(line.kind, 'refused');
        this.#refused++;
        if (this.#refusals.length < MOST_TOLD) this.#refusals.push(`line ${number}: ${titleOf(line)}: ${error.message}`);
      }
    }
  }

  get report(): ImportReport {
    const { size } = this.#tally;
    return {
      tally: size === 0 ? [] : [...this.#tally],
      refusals: this.#refusals,
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

  async #bringNamespace(line: Extract<Line, { kind: 'namespace' }>): Promise<Outcome> {
    this.#namespaces ??= new Map((await this.#peer.namespaces()).map((one) => [one.id, one]));
    const there = this.#namespaces.get(line.id);
    const isSame = there?.name === line.name && there.description === line.description;
    return this.#settle(there !== undefined, isSame, () => this.#peer.putNamespace(line, there !== undefined));
  }

  async #bringService(line: ServiceLine, number: number): Promise<Outcome> {
    const found = await this.#find(line);
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
    const found = await this.#find(service);
    const there = found?.instances.find(({ ip, port }) => ip === line.ip && port === line.port);
    const { edit, ...plain } = line;
    // A Nacos knows no edits: it gets what is in force.
    const said = this.#peer.isBeatbridge ? plain : edited(plain, edit);
    const isSame =
      there !== undefined && isSameInstance(there, said) && (!this.#peer.isBeatbridge || isSameEdit(there.edit, edit));
    return this.#settle(there !== undefined, isSame, async () => {
      await this.#peer.putInstance(service, said);
      if (edit !== undefined && this.#peer.isBeatbridge) await this.#peer.putEdit({ ...line, kind: 'edit', edit });
    });
  }

  async #bringEdit(line: EditLine): Promise<Outcome> {
    if (!this.#peer.isBeatbridge)
      throw new RefusedError(0, 'a Nacos keeps no edit of an instance that is not there; edit it when it is');
    if (this.#edits?.key !== line.namespace) this.#edits = { key: line.namespace, found: await this.#peer.edits(line.namespace) };
    const there = this.#edits.found.find(
      ({ group, service, ip, port }) => group === line.group && service === line.service && ip === line.ip && port === line.port,
    );
    return this.#settle(there !== undefined, isSameEdit(there?.edit, line.edit), () => this.#peer.putEdit(line));
  }

  async #bringText(line: Extract<Line, { kind: 'text' }>): Promise<Outcome> {
    const there = await this.#peer.text(line.namespace, line);
    const isSame = there?.content === line.content && there.type === line.type;
    return this.#settle(there !== undefined, isSame, () => this.#peer.putText(line));
  }

  async #bringSwitch(line: Extract<Line, { kind: 'switch' }>): Promise<Outcome> {
    if (!this.#peer.isBeatbridge) throw new RefusedError(0, 'the switches of a Nacos tune that Nacos: set them there');
    this.#switches ??= new Map((await this.#peer.switches()).map((one) => [switchKey(one), one.value]));
    const there = this.#switches.get(switchKey(line));
    return this.#settle(there !== undefined, there === line.value, () => this.#peer.putSwitch(line));
  }

  async #settle(isThere: boolean, isSame: boolean, write: () => Promise<void>): Promise<Outcome> {
    if (isSame) return 'unchanged';
    if (isThere && !this.#how.overwrite) return 'kept';
    if (!this.#how.dryRun) await write();
    return isThere ? 'replaced' : 'added';
  }

  /** As it was when the first line of its service was read. */
  async #find(service: ServiceName): Promise<FoundService | undefined> {
    const key = JSON.stringify([service.namespace, service.group, service.name]);
    if (this.#service?.key !== key) this.#service = { key, found: await this.#peer.service(service) };
    return this.#service.found;
  }

  #count(kind: Line['kind'], outcome: Outcome): void {
    const tally = this.#tally.get(kind) ?? { added: 0, replaced: 0, unchanged: 0, kept: 0, refused: 0 };
    this.#tally.set(kind, { ...tally, [outcome]: tally[outcome] + 1 });
  }
}

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

/** A Nacos takes a check that it does not know for none, and the instance for healthy for ever. */
function checkKnown(cluster: string, { type, tls }: Readonly<Record<string, unknown>>): void {
  if (type === 'GRPC' || tls === true)
    throw new RefusedError(0, `a Nacos knows no check by ${type === 'GRPC' ? 'GRPC' : 'TLS'} (cluster ${cluster})`);
}

/** One switch holds the versions of five languages. */
function switchKey({ entry, value }: { readonly entry: string; readonly value: string }): string {
  return entry === 'pushVersion' ? `${entry} ${value.split(':', 1)[0]}` : entry;
}
