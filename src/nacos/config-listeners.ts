import { type ConfigId, type Configs, configKey } from './configs.ts';

/** Who listens to which text of the configuration service, whatever the transport: each is told of its own texts, and of no other. */
export class ConfigListeners {
  readonly #byText = new Map<string, Set<ConfigListener>>();

  constructor(configs: Configs) {
    configs.onChange((id) => {
      for (const listener of this.#byText.get(configKey(id)) ?? []) listener.changed();
    });
  }

  /** From now on it is told. Whoever adds it takes it away again. */
  add(listener: ConfigListener): void {
    const key = configKey(listener.text);
    const listeners = this.#byText.get(key);
    if (listeners === undefined) this.#byText.set(key, new Set([listener]));
    else listeners.add(listener);
  }

  /** It is told no more. */
  delete(listener: ConfigListener): void {
    const key = configKey(listener.text);
    const listeners = this.#byText.get(key);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#byText.delete(key);
  }

  /** Who listens to a text now. */
  of(id: ConfigId): Iterable<ConfigListener> {
    return this.#byText.get(configKey(id)) ?? [];
  }

  /** Who listens now, to whatever text. */
  *all(): Iterable<ConfigListener> {
    for (const listeners of this.#byText.values()) yield* listeners;
  }

  /** How many texts are listened to now. */
  get textCount(): number {
    return this.#byText.size;
  }
}

/** One that listens to one text. */
export interface ConfigListener {
  readonly text: ConfigId;
  /** Where it is. */
  readonly ip: string;
  /** Of the text that it had when it asked, "" for none. */
  readonly md5: string;
  /** The text has been published, changed or removed. */
  changed(): void;
}
