import { createHash } from 'node:crypto';
import { flat } from '../registry/flat.ts';
import type { DurablePart } from './durability.ts';
import { RequestError, TooLong, TooMany } from './errors.ts';

/**
 * The texts of Nacos's configuration service, one set for every version and transport: what applications keep there, and where Dubbo
 * notes which of them offer an interface. A map, bounded. Nothing here knows who listens, only that somebody may.
 */
export class Configs {
  readonly #wallClock: () => number;
  readonly #limits: ConfigLimits;
  readonly #configs = new Map<string, Config>();
  readonly #listeners = new Set<(id: ConfigId) => void>();
  /** How many there are in each namespace that has any. */
  readonly #ofNamespace = new Map<string, number>();
  #bytes = 0;
  #lastSerial = 0;
  readonly #keepers = new Set<(key: string) => void>();
  /** The names of those that were removed by number, by it; the latest. */
  readonly #removed = new Map<string, ConfigId>();
  /** By name. */
  readonly durable: DurablePart = {
    name: 'config',
    onChange: (listener) => void this.#keepers.add(listener),
    read: (key) => this.#configs.get(key),
    restore: (entries) => {
      const configs = [...entries].map(([, config]) => config as Config).sort((a, b) => a.serial - b.serial);
      for (const config of configs) this.#put(config);
      for (const { id } of configs) this.#changed(id);
    },
  };

  constructor({ wallClock, limits }: ConfigsOptions) {
    this.#wallClock = wallClock;
    this.#limits = limits;
  }

  /** The text, if there is one. */
  get(id: ConfigId): Config | undefined {
    return this.#configs.get(configKey(id));
  }

  /**
   * False when there is a text whose md5 is not the one given: somebody else has changed it. What is not there yet is taken whatever
   * the md5, as Dubbo says "0" then.
   */
  publish(id: ConfigId, content: string, type: string, casMd5: string): boolean {
    const { maxConfigs, maxConfigBytes, maxConfigTotalBytes } = this.#limits;
    const key = configKey(id);
    const old = this.#configs.get(key);
    if (old !== undefined && casMd5 !== '' && casMd5 !== old.md5) return false;
    const bytes = Buffer.byteLength(content);
    if (bytes > maxConfigBytes)
      throw new TooLong(
        'length of a text',
        'invalid',
        `content must not exceed ${maxConfigBytes} bytes, got ${bytes} (--max-config-bytes)`,
      );
    const total = this.#bytes + bytes - (old?.bytes ?? 0);
    if (total > maxConfigTotalBytes || (old === undefined && this.#configs.size >= maxConfigs))
      throw new TooMany(
        'texts',
        `more than ${maxConfigs} configs, or ${maxConfigTotalBytes} bytes in all (--max-configs, --max-config-total-bytes)`,
      );
    const modifiedAt = this.#wallClock();
    const { serial, createdAt } = old ?? { serial: this.#lastSerial + 1, createdAt: modifiedAt };
    const names = { namespace: flat(id.namespace), group: flat(id.group), dataId: flat(id.dataId) };
    this.#put({ id: names, serial, content: flat(content), type, bytes, md5: md5Of(content), createdAt, modifiedAt });
    for (const keep of this.#keepers) keep(key);
    if (old?.content !== content) this.#changed(id);
    return true;
  }

  /** Absent is fine. */
  remove(id: ConfigId): void {
    const key = configKey(id);
    const old = this.#configs.get(key);
    // Also of one that is absent: whoever asks again after a failure is promised that it does not come back.
    for (const keep of this.#keepers) keep(key);
    if (old === undefined) return;
    this.#configs.delete(key);
    this.#count(old.id.namespace, -1);
    this.#bytes -= old.bytes;
    this.#changed(id);
  }

  /** Those of these numbers, as they are written in pages, of which that holds. Absent is fine. */
  removeAll(serials: readonly string[], mayGo: (id: ConfigId) => boolean = () => true): void {
    const wanted = new Set(serials.map((serial) => serial.trim()));
    // Whoever asks again after a failure is promised here too that it does not come back.
    const again = [...wanted].flatMap((serial) => this.#removed.get(serial) ?? []).filter(mayGo);
    for (const id of again) if (this.get(id) === undefined) for (const keep of this.#keepers) keep(configKey(id));
    for (const { id, serial } of [...this.#configs.values()]) {
      if (!wanted.has(String(serial)) || !mayGo(id)) continue;
      this.remove(id);
      this.#removed.set(String(serial), id);
      const [oldest] = this.#removed.keys();
      if (oldest !== undefined && this.#removed.size > REMOVED_KEPT) this.#removed.delete(oldest);
    }
  }

  /** Whether the text is another than the one of this md5, "" for none: "" is what a listener says of a text that it does not have. */
  differs(id: ConfigId, md5: string): boolean {
    return (this.get(id)?.md5 ?? '') !== md5;
  }

  get count(): number {
    return this.#configs.size;
  }

  /** The same of one namespace. */
  countIn(namespace: string): number {
    return this.#ofNamespace.get(namespace) ?? 0;
  }

  /** Those that have any. */
  namespaces(): IterableIterator<string> {
    return this.#ofNamespace.keys();
  }

  /** Of all texts. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Every text there is, in the order in which they came. */
  all(): IterableIterator<Config> {
    return this.#configs.values();
  }

  /** Calls `listener` with the name of what was published, changed or removed; never for a text that is published as it was. */
  onChange(listener: (id: ConfigId) => void): void {
    this.#listeners.add(listener);
  }

  #put(config: Config): void {
    const key = configKey(config.id);
    if (!this.#configs.has(key)) this.#count(config.id.namespace, 1);
    this.#bytes += config.bytes - (this.#configs.get(key)?.bytes ?? 0);
    this.#lastSerial = Math.max(this.#lastSerial, config.serial);
    this.#configs.set(key, config);
  }

  #count(namespace: string, by: 1 | -1): void {
    const count = this.countIn(namespace) + by;
    if (count === 0) this.#ofNamespace.delete(namespace);
    else this.#ofNamespace.set(namespace, count);
  }

  #changed(id: ConfigId): void {
    for (const listener of this.#listeners) listener(id);
  }
}

/** As many as anybody repeats. */
const REMOVED_KEPT = 1_000;

export interface ConfigsOptions {
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly limits: ConfigLimits;
}

export interface ConfigLimits {
  readonly maxConfigs: number;
  /** Of one text. */
  readonly maxConfigBytes: number;
  /** Of all texts. */
  readonly maxConfigTotalBytes: number;
}

/** What names a text. */
export interface ConfigId {
  /** Nacos calls it tenant here. */
  readonly namespace: string;
  readonly group: string;
  readonly dataId: string;
}

/** The same, as rights are given. */
export function scopeOf({ namespace, group, dataId }: ConfigId) {
  return { namespace, group, name: dataId };
}

/** A text, and what is known of it. */
export interface Config {
  readonly id: ConfigId;
  /** Stays with it as long as it is there. */
  readonly serial: number;
  readonly content: string;
  /** Of the content in UTF-8, in lower case. */
  readonly md5: string;
  /** `text`, `json`, …: what its publisher says. */
  readonly type: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

/** There is no such text. Word for word: dubbo-go looks for it in an error's text. */
export function configUnknown(): RequestError {
  return new RequestError('config-unknown', 'config data not exist');
}

/** The text is not the one any more that its publisher has seen. */
export function configChanged(): RequestError {
  const message = 'Cas publish fail, server md5 may have changed.';
  return new RequestError('config-changed', message);
}

/** Unique over all texts, as no part of a name holds white space. */
export function configKey({ namespace, group, dataId }: ConfigId): string {
  return `${namespace} ${group} ${dataId}`;
}

function md5Of(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
