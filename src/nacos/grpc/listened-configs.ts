import { flat } from '../../registry/flat.ts';
import type { Permit } from '../../rights/admission.ts';
import { Shares } from '../../wire/shares.ts';
import type { ConfigListener, ConfigListeners } from '../config-listeners.ts';
import { type ConfigId, type Configs, configKey, scopeOf } from '../configs.ts';
import { TooMany } from '../errors.ts';
import { type InterestBytes, sizeOfListening } from '../interest-bytes.ts';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';

/** Which connections listen to which texts of the configuration service, and telling them that a text has changed. */
export class ListenedConfigs {
  readonly #options: ListenedConfigsOptions;
  /** By the key of the text. */
  readonly #ofConnection = new Map<Connection, Map<string, Interest>>();
  /** By the address at the other end. */
  readonly #shares: Shares;

  constructor(options: ListenedConfigsOptions) {
    this.#options = options;
    const { maxListenedConfigsInAll: inAll, maxListenedConfigsPerPeer: ofOne } = options.limits;
    this.#shares = new Shares({ inAll, ofOne });
    options.connections.onEnd((connection) => {
      for (const interest of this.#ofConnection.get(connection)?.values() ?? []) this.#end(interest);
      this.#ofConnection.delete(connection);
    });
  }

  /**
   * From now on the connection is told of changes, in the words in which it names the text. True when the text is another than the
   * one that it has, of which this is the md5, "" for none.
   */
  listen(connection: Connection, id: ConfigId, { tenant, md5, permit }: Listening): boolean {
    if (connection.ended) return false;
    const { configs, wallClock } = this.#options;
    const interest = this.#interestOf(connection, id, md5.length + tenant.length);
    interest.renew(permit);
    const { toldGone } = interest;
    const at = wallClock();
    const differs = configs.differs(id, md5);
    // Go's client (2.2.5) that is told of a removal keeps what it had and asks again at once, a thousand times a second.
    const gone = differs && configs.get(id) === undefined;
    const repeats = gone && toldGone?.md5 === md5 && at - toldGone.at < SAY_AGAIN_AFTER_MS;
    interest.md5 = md5;
    const { dataId, group } = interest.text;
    interest.namedAs = { dataId, group, ...(tenant !== '' && { tenant }) };
    if (!repeats) interest.toldGone = gone ? { md5, at } : undefined;
    return differs && !repeats;
  }

  /** It is told no more. */
  unlisten(connection: Connection, id: ConfigId): void {
    const key = configKey(id);
    const interests = this.#ofConnection.get(connection);
    const interest = interests?.get(key);
    if (interest === undefined) return;
    this.#end(interest);
    interests?.delete(key);
    if (interests?.size === 0) this.#ofConnection.delete(connection);
  }

  /** Whether it listens to anything. */
  has(connection: Connection): boolean {
    return this.#ofConnection.has(connection);
  }

  /** How many texts are listened to, each as often as it is. */
  get count(): number {
    return this.#shares.count;
  }

  /** The same object for as long as it listens: a notice to it may be on its way. */
  #interestOf(connection: Connection, text: ConfigId, characters: number): Interest {
    const key = configKey(text);
    const { listeners, interestBytes } = this.#options;
    const bytes = sizeOfListening(text, characters);
    const interests = this.#ofConnection.get(connection) ?? new Map<string, Interest>();
    const known = interests.get(key);
    if (known === undefined) this.#checkRoom(connection, interests.size);
    interestBytes?.take(connection.peer.ip, bytes - (known?.bytes ?? 0));
    const interest = known ?? new Interest(connection, flat({ ...text }));
    interest.bytes = bytes;
    if (known !== undefined) return known;
    this.#ofConnection.set(connection, interests.set(key, interest));
    listeners.add(interest);
    this.#shares.add(connection.peer.ip);
    return interest;
  }

  #checkRoom({ peer }: Connection, count: number): void {
    const { maxListenedConfigs, maxListenedConfigsInAll, maxListenedConfigsPerPeer } = this.#options.limits;
    if (count >= maxListenedConfigs)
      throw new TooMany('texts listened to over one connection', `more than ${maxListenedConfigs} configs listened to`);
    if (this.#shares.limitFor(peer.ip) === 'in all')
      this.#options.connections.giveWay(this.#shares.above(peer.ip), (other) => this.#ofConnection.has(other));
    const limit = this.#shares.limitFor(peer.ip);
    if (limit === 'in all')
      throw new TooMany('texts listened to', `more than ${maxListenedConfigsInAll} configs listened to by all`);
    if (limit === undefined) return;
    const text = `more than ${maxListenedConfigsPerPeer} configs listened to from one address`;
    throw new TooMany('texts listened to from one address', text);
  }

  #end(interest: Interest): void {
    interest.end();
    this.#shares.remove(interest.ip);
    this.#options.interestBytes?.add(interest.ip, -interest.bytes);
    this.#options.listeners.delete(interest);
  }
}

export interface ListenedConfigsOptions {
  readonly configs: Configs;
  readonly listeners: ConfigListeners;
  readonly connections: Connections;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly limits: ListenedConfigsLimits;
  /** Where it is counted what is kept of them; nowhere when left out. */
  readonly interestBytes?: InterestBytes | undefined;
}

export interface ListenedConfigsLimits {
  /** Texts that one connection may listen to. */
  readonly maxListenedConfigs: number;
  /** The same of all connections, and of those from one address. */
  readonly maxListenedConfigsInAll: number;
  readonly maxListenedConfigsPerPeer: number;
}

/** How a connection listens. */
export interface Listening {
  /** As it names it. */
  readonly tenant: string;
  /** Of the text that it has, "" for none. */
  readonly md5: string;
  readonly permit?: Permit | undefined;
}

/** That of one connection in one text. */
class Interest implements ConfigListener {
  readonly text: ConfigId;
  readonly #connection: Connection;
  md5 = '';
  /** What it takes. */
  bytes = 0;
  /** The text, as the connection names it. */
  namedAs: object = {};
  /** The text that it has been told is gone, by its md5, and when: milliseconds since 1970. */
  toldGone: { readonly md5: string; readonly at: number } | undefined;
  /** Of who listens; undefined where nobody is asked. */
  #permit: Permit | undefined;
  #ended = false;
  /** A notice waits for room on the connection. */
  #queued = false;

  constructor(connection: Connection, text: ConfigId) {
    this.#connection = connection;
    this.text = text;
  }

  get ip(): string {
    return this.#connection.peer.ip;
  }

  changed(): void {
    // The client asks for the text itself, so one notice is enough however often it changes.
    if (this.#queued || !this.#mayHear()) return;
    this.#queued = true;
    const { outbox } = this.#connection;
    outbox.send(() => {
      this.#queued = false;
      if (this.#ended || !this.#mayHear()) return undefined;
      // Not repeated when it is not answered: clients compare all they listen to every few minutes.
      const requestId = outbox.expect(() => {});
      const body = JSON.stringify({ headers: {}, requestId, ...this.namedAs, module: 'config' });
      return { type: 'ConfigChangeNotifyRequest', body };
    });
  }

  /** By this right, from now on; what was withheld is answered. */
  renew(permit: Permit | undefined): void {
    this.#permit = permit;
    this.#connection.rights.relyOn(permit);
    this.#connection.rights.forget(this);
  }

  end(): void {
    this.#ended = true;
    this.#connection.rights.forget(this);
  }

  /** It was asked for once, by who may have lost the right since. */
  #mayHear(): boolean {
    if (this.#permit?.user === undefined) return true;
    const scope = { kind: 'config', ...scopeOf(this.text) } as const;
    return this.#connection.rights.mayHear(this.#permit, scope, this, () => this.changed());
  }
}

const SAY_AGAIN_AFTER_MS = 5_000;
