import { createHash } from 'node:crypto';
import { flagOf, textOf } from './bodies.ts';
import type { Connection, Connections } from './connections.ts';
import { MissingParam, RequestError } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';
import { HOME } from './rules.ts';

/**
 * The part of Nacos's configuration service that naming clients touch: Dubbo keeps there which applications offer an interface, and
 * what their revisions offer. A small map of texts, bounded, and who listens to which of them.
 */
export class Configs {
  readonly #wallClock: () => number;
  readonly #configs = new Map<string, Config>();
  readonly #listening = new Map<string, Map<Connection, Listener>>();
  readonly #ofConnection = new Map<Connection, Set<string>>();
  readonly #observers = new Set<(id: ConfigId) => void>();
  #bytes = 0;

  /** `wallClock` is in milliseconds since 1970. */
  constructor(connections: Connections, wallClock: () => number) {
    this.#wallClock = wallClock;
    connections.onEnd((connection) => {
      for (const key of this.#ofConnection.get(connection) ?? []) this.unlisten(connection, key);
    });
  }

  get(id: ConfigId): Config | undefined {
    return this.#configs.get(keyOf(id));
  }

  /**
   * False when there is a text whose md5 is not the one given: somebody else has changed it. What is not there yet is taken whatever
   * the md5, as Dubbo says "0" then.
   */
  publish(id: ConfigId, content: string, type: string, casMd5: string): boolean {
    const key = keyOf(id);
    const old = this.#configs.get(key);
    if (old !== undefined && casMd5 !== '' && casMd5 !== old.md5) return false;
    const bytes = Buffer.byteLength(content);
    if (bytes > MAX_CONTENT_BYTES)
      throw new RequestError('invalid', `content must not exceed ${MAX_CONTENT_BYTES} bytes, got ${bytes}`);
    const total = this.#bytes + bytes - (old?.bytes ?? 0);
    if (total > MAX_TOTAL_BYTES || (old === undefined && this.#configs.size >= MAX_CONFIGS))
      throw new RequestError('too-many', `more than ${MAX_CONFIGS} configs, or ${MAX_TOTAL_BYTES} bytes in all`);
    this.#bytes = total;
    this.#configs.set(key, { id, content, type, bytes, md5: md5Of(content), modifiedAt: this.#wallClock() });
    if (old?.content !== content) this.#changed(id, key);
    return true;
  }

  /** Absent is fine. */
  remove(id: ConfigId): void {
    const key = keyOf(id);
    const old = this.#configs.get(key);
    if (old === undefined) return;
    this.#configs.delete(key);
    this.#bytes -= old.bytes;
    this.#changed(id, key);
  }

  all(): IterableIterator<Config> {
    return this.#configs.values();
  }

  /**
   * From now on the connection is told of changes, in the words in which it names the text. True when the text is another than the
   * one that it has, of which this is the md5, "" for none.
   */
  listen(connection: Connection, id: ConfigId, tenant: string, md5: string): boolean {
    const key = keyOf(id);
    const keys = this.#ofConnection.get(connection) ?? new Set<string>();
    if (connection.ended) return false;
    if (keys.size >= MAX_LISTENED_A_CONNECTION && !keys.has(key))
      throw new RequestError('too-many', `more than ${MAX_LISTENED_A_CONNECTION} configs listened to`);
    this.#ofConnection.set(connection, keys.add(key));
    const listeners = this.#listening.get(key) ?? new Map<Connection, Listener>();
    const words = { dataId: id.dataId, group: id.group, ...(tenant !== '' && { tenant }) };
    const listener = listeners.get(connection) ?? { words, queued: false, missed: undefined };
    const { missed } = listener;
    const now = this.#wallClock();
    const differs = (this.#configs.get(key)?.md5 ?? '') !== md5;
    // Go's client (2.2.5) that is told of a removal keeps what it had and asks again at once, a thousand times a second.
    const gone = differs && !this.#configs.has(key);
    const repeats = gone && missed?.md5 === md5 && now - missed.at < SAY_AGAIN_AFTER_MS;
    // The same object for as long as it listens: a word to it may be on its way.
    listener.words = words;
    if (!repeats) listener.missed = gone ? { md5, at: now } : undefined;
    this.#listening.set(key, listeners.set(connection, listener));
    return differs && !repeats;
  }

  unlisten(connection: Connection, key: string): void {
    const keys = this.#ofConnection.get(connection);
    keys?.delete(key);
    if (keys?.size === 0) this.#ofConnection.delete(connection);
    const listeners = this.#listening.get(key);
    listeners?.delete(connection);
    if (listeners?.size === 0) this.#listening.delete(key);
  }

  /** Calls `observer` with the name of what was published, changed or removed. */
  onChange(observer: (id: ConfigId) => void): void {
    this.#observers.add(observer);
  }

  #changed(id: ConfigId, key: string): void {
    for (const observer of this.#observers) observer(id);
    for (const [connection, listener] of this.#listening.get(key) ?? []) {
      // The client asks for the text itself, so one word is enough however often it changes.
      if (listener.queued) continue;
      listener.queued = true;
      connection.send(() => {
        listener.queued = false;
        if (this.#listening.get(key)?.get(connection) !== listener) return undefined;
        // Not repeated when it is not answered: clients compare all they listen to every few minutes.
        const requestId = connection.expect(() => {});
        const body = JSON.stringify({ headers: {}, requestId, ...listener.words, module: 'config' });
        return { type: 'ConfigChangeNotifyRequest', body };
      });
    }
  }
}

/** What names a text. */
export interface ConfigId {
  /** Nacos calls it tenant here. */
  readonly namespace: string;
  readonly group: string;
  readonly dataId: string;
}

export interface Config {
  readonly id: ConfigId;
  readonly content: string;
  /** Of the content in UTF-8, in lower case. */
  readonly md5: string;
  /** `text`, `json`, …: what its publisher says. */
  readonly type: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

interface Listener {
  /** What it is told: the text, as it names it. */
  words: object;
  queued: boolean;
  /** The text that it has been told is gone, by its md5, and when: milliseconds since 1970. */
  missed: { readonly md5: string; readonly at: number } | undefined;
}

/** Word for word: dubbo-go looks for it in an error's text. */
const NOT_THERE = 'config data not exist';

/** Calls of the 2.x protocol about configs. */
export function configCalls(configs: Configs) {
  return {
    query(body: JsonObject): object {
      const config = configs.get(readId(body));
      if (config === undefined) throw new RequestError('config-unknown', NOT_THERE);
      const { content, md5, type, modifiedAt } = config;
      // No tag: some clients take it for a text, others for a truth value.
      return { content, md5, contentType: type, lastModified: modifiedAt, beta: false };
    },

    publish(body: JsonObject): object {
      const id = readId(body);
      if (id.dataId === '') throw new MissingParam('dataId');
      const content = textOf(body, 'content', Number.POSITIVE_INFINITY);
      if (content.trim() === '') throw new MissingParam('content');
      const type = isObject(body.additionMap) ? textOf(body.additionMap, 'type') : '';
      if (configs.publish(id, content, type || 'text', textOf(body, 'casMd5').trim())) return {};
      throw new RequestError('conflict', 'Cas publish fail, server md5 may have changed.');
    },

    remove(body: JsonObject): object {
      configs.remove(readId(body));
      return {};
    },

    /** Answers what is not as the client believes. */
    listen(body: JsonObject, connection: Connection): object {
      const contexts = body.configListenContexts ?? [];
      if (!Array.isArray(contexts) || !contexts.every(isObject))
        throw new RequestError('invalid', 'configListenContexts must be a list of objects');
      const listening = flagOf(body, 'listen');
      const changedConfigs: object[] = [];
      for (const context of contexts) {
        const id = readId(context);
        if (!listening) {
          configs.unlisten(connection, keyOf(id));
          continue;
        }
        if (!configs.listen(connection, id, textOf(context, 'tenant'), textOf(context, 'md5'))) continue;
        // Rust's client wants a tenant that it has sent, though it be blank.
        const { tenant } = context;
        changedConfigs.push({ dataId: id.dataId, group: id.group, ...(typeof tenant === 'string' && { tenant }) });
      }
      return { changedConfigs };
    },
  };
}

/** The default namespace is blank to some clients and `public` to others. */
function configNamespace(tenant: string): string {
  return tenant.trim() || HOME.namespace;
}

const MAX_CONFIGS = 100_000;
const MAX_CONTENT_BYTES = 1 << 20;
const MAX_TOTAL_BYTES = 256 << 20;
const MAX_LISTENED_A_CONNECTION = 10_000;
const MAX_ID_LENGTH = 256;
const SAY_AGAIN_AFTER_MS = 5_000;

function readId(body: JsonObject): ConfigId {
  const id = {
    namespace: configNamespace(textOf(body, 'tenant')),
    group: textOf(body, 'group').trim() || HOME.group,
    dataId: textOf(body, 'dataId').trim(),
  };
  for (const [name, text] of Object.entries(id)) {
    if (text.length > MAX_ID_LENGTH || /\s/.test(text))
      throw new RequestError('invalid', `${name} must have at most ${MAX_ID_LENGTH} characters and no white space`);
  }
  return id;
}

/** No part holds white space. */
function keyOf({ namespace, group, dataId }: ConfigId): string {
  return `${namespace} ${group} ${dataId}`;
}

function md5Of(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
