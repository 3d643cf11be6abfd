import type { Registry } from '../registry/registry.ts';
import type { ServiceName } from '../registry/service-name.ts';

/**
 * Texts about services, each kept for as long as its service does not change. All together are bounded, and so is how many there are
 * of one service; what is beyond that is made anew. Nothing of a service is kept when it has gone.
 */
export class KeptTexts<T extends { readonly bytes: number }> {
  readonly #maxBytes: number;
  readonly #mostForOne: number;
  /** By the name that the registry hands out, the service that was asked for first in front. */
  readonly #services = new Map<ServiceName, Map<string, Entry<T>>>();
  #bytes = 0;

  /** A text of more than `mostForOne` bytes is not kept. */
  constructor(registry: Pick<Registry, 'onChange'>, maxBytes: number, mostForOne: number) {
    this.#maxBytes = maxBytes;
    this.#mostForOne = mostForOne;
    registry.onChange((service) => this.#forget(service));
  }

  /** What is kept now, less what is being made. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Undefined when it has to be made. One that is being made was begun after the last change. */
  get(known: ServiceName, key: string): T | Promise<T> | undefined {
    return this.#services.get(known)?.get(key)?.text;
  }

  /** `known`: the registry's own object for the name. */
  keep(known: ServiceName, key: string, text: T | Promise<T>): void {
    const texts = this.#services.get(known) ?? new Map<string, Entry<T>>();
    this.#services.set(known, texts);
    const entry: Entry<T> = { text, bytes: 0 };
    texts.set(key, entry);
    if (!(text instanceof Promise)) {
      this.#made(known, key, entry, text);
    } else {
      text.then(
        (made) => this.#made(known, key, entry, made),
        () => this.#drop(known, key, entry),
      );
    }
  }

  #made(known: ServiceName, key: string, entry: Entry<T>, text: T): void {
    const texts = this.#services.get(known);
    // The service has changed meanwhile.
    if (texts?.get(key) !== entry) return;
    if (text.bytes > this.#mostForOne) {
      this.#drop(known, key, entry);
      return;
    }
    entry.text = text;
    entry.bytes = text.bytes;
    this.#bytes += text.bytes;
    for (const [other, { bytes }] of texts) {
      if (texts.size <= MAX_TEXTS) break;
      texts.delete(other);
      this.#bytes -= bytes;
    }
    for (const service of this.#services.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#forget(service);
    }
  }

  #drop(known: ServiceName, key: string, entry: Entry<T>): void {
    const texts = this.#services.get(known);
    if (texts?.get(key) !== entry) return;
    texts.delete(key);
    if (texts.size === 0) this.#services.delete(known);
  }

  #forget(service: ServiceName): void {
    const texts = this.#services.get(service);
    if (texts === undefined) return;
    this.#services.delete(service);
    for (const { bytes } of texts.values()) this.#bytes -= bytes;
  }
}

interface Entry<T> {
  text: T | Promise<T>;
  bytes: number;
}

/** Of one service: callers ask for clusters in words of their own. */
const MAX_TEXTS = 16;
