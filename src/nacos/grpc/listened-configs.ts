import { type ConfigId, type Configs, configKey } from '../configs.ts';
import { RequestError } from '../errors.ts';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';

/** Which connections listen to which texts of the configuration service, and telling them that a text has changed. */
export class ListenedConfigs {
  readonly #options: ListenedConfigsOptions;
  /** By the key of the text. */
  readonly #byText = new Map<string, Map<Connection, Interest>>();
  readonly #ofConnection = new Map<Connection, Set<string>>();

  constructor(options: ListenedConfigsOptions) {
    this.#options = options;
    options.configs.onChange((id) => this.#changed(configKey(id)));
    options.connections.onEnd((connection) => {
      for (const key of this.#ofConnection.get(connection) ?? []) this.#unlisten(connection, key);
    });
  }

  /**
   * From now on the connection is told of changes, in the words in which it names the text. True when the text is another than the
   * one that it has, of which this is the md5, "" for none.
   */
  listen(connection: Connection, id: ConfigId, { tenant, md5 }: { readonly tenant: string; readonly md5: string }): boolean {
    if (connection.ended) return false;
    const { limits, configs, wallClock } = this.#options;
    const key = configKey(id);
    const keys = this.#ofConnection.get(connection) ?? new Set<string>();
    if (keys.size >= limits.maxListenedConfigs && !keys.has(key))
      throw new RequestError('too-many', `more than ${limits.maxListenedConfigs} configs listened to`);
    this.#ofConnection.set(connection, keys.add(key));
    const interests = this.#byText.get(key) ?? new Map<Connection, Interest>();
    const namedAs = { dataId: id.dataId, group: id.group, ...(tenant !== '' && { tenant }) };
    const interest = interests.get(connection) ?? { namedAs, queued: false, toldGone: undefined };
    const { toldGone } = interest;
    const at = wallClock();
    const known = configs.get(id);
    const differs = (known?.md5 ?? '') !== md5;
    // Go's client (2.2.5) that is told of a removal keeps what it had and asks again at once, a thousand times a second.
    const gone = differs && known === undefined;
    const repeats = gone && toldGone?.md5 === md5 && at - toldGone.at < SAY_AGAIN_AFTER_MS;
    // The same object for as long as it listens: a notice to it may be on its way.
    interest.namedAs = namedAs;
    if (!repeats) interest.toldGone = gone ? { md5, at } : undefined;
    this.#byText.set(key, interests.set(connection, interest));
    return differs && !repeats;
  }

  /** It is told no more. */
  unlisten(connection: Connection, id: ConfigId): void {
    this.#unlisten(connection, configKey(id));
  }

  #unlisten(connection: Connection, key: string): void {
    const keys = this.#ofConnection.get(connection);
    keys?.delete(key);
    if (keys?.size === 0) this.#ofConnection.delete(connection);
    const interests = this.#byText.get(key);
    interests?.delete(connection);
    if (interests?.size === 0) this.#byText.delete(key);
  }

  #changed(key: string): void {
    for (const [connection, interest] of this.#byText.get(key) ?? []) {
      // The client asks for the text itself, so one notice is enough however often it changes.
      if (interest.queued) continue;
      interest.queued = true;
      connection.outbox.send(() => {
        interest.queued = false;
        if (this.#byText.get(key)?.get(connection) !== interest) return undefined;
        // Not repeated when it is not answered: clients compare all they listen to every few minutes.
        const requestId = connection.outbox.expect(() => {});
        const body = JSON.stringify({ headers: {}, requestId, ...interest.namedAs, module: 'config' });
        return { type: 'ConfigChangeNotifyRequest', body };
      });
    }
  }
}

export interface ListenedConfigsOptions {
  readonly configs: Configs;
  readonly connections: Connections;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly limits: ListenedConfigsLimits;
}

export interface ListenedConfigsLimits {
  /** Texts that one connection may listen to. */
  readonly maxListenedConfigs: number;
}

/** That of one connection in one text. */
interface Interest {
  /** The text, as the connection names it. */
  namedAs: object;
  /** A notice waits for room on the connection. */
  queued: boolean;
  /** The text that it has been told is gone, by its md5, and when: milliseconds since 1970. */
  toldGone: { readonly md5: string; readonly at: number } | undefined;
}

const SAY_AGAIN_AFTER_MS = 5_000;
