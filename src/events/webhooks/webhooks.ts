import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Scheduler } from '../../wire/scheduler.ts';
import type { Taps } from '../../wire/taps.ts';
import type { History } from '../history.ts';
import type { EventRecord } from '../record.ts';
import { parseWebhooks, type WebhookAddress } from './address.ts';
import { choiceOf } from './choice.ts';
import { openPost, type Post } from './post.ts';
import { Receiver, type WebhookResult } from './receiver.ts';

/** As the options have them. `secrets` are in the order of the webhooks, or one for all. */
export function createWebhooks({ options, secrets, ...means }: WebhooksMeans): Webhooks {
  const { webhook, webhookCauses, webhookKinds, webhookTimeoutMs: timeoutMs } = options;
  // The table of options takes nothing else.
  const addresses = parseWebhooks(webhook).filter((address) => address !== undefined);
  const webhooks = addresses.map((address, i) => ({ address, secret: secrets.length === 1 ? secrets[0] : secrets[i] }));
  return new Webhooks({ ...means, webhooks, wants: choiceOf(webhookCauses, webhookKinds), timeoutMs });
}

/**
 * Tells others what happens, by calls of its own: each receiver at its own pace, none waiting for another. Where each is, is kept over a
 * restart.
 */
export class Webhooks {
  readonly name = 'webhook';
  readonly #receivers = new Map<string, Receiver>();
  readonly #options: WebhooksOptions;
  readonly #positions = new Map<string, number>();
  #strays: readonly string[] = [];
  #moved: (key: string) => void = () => {};
  readonly #posts = new Map<string, Promise<Post>>();

  constructor(options: WebhooksOptions) {
    this.#options = options;
    const { webhooks: counts } = options.taps;
    const count = (result: WebhookResult, many = 1) => void counts.set(result, (counts.get(result) ?? 0) + many);
    for (const { address, secret } of options.webhooks) {
      const key = keyOf(address);
      const post = () => this.#postTo(key, address);
      this.#receivers.set(key, new Receiver(address, { ...options, secret, post, count, moved: () => this.#moved(key) }));
    }
  }

  readonly onChange = (listener: (key: string) => void): void => {
    this.#moved = listener;
    for (const key of this.#strays) listener(key);
  };

  readonly read = (key: string): unknown => {
    const receiver = this.#receivers.get(key);
    return receiver && { seq: receiver.position };
  };

  readonly mayBeLost = (): boolean => true;

  readonly restore = (entries: Iterable<readonly [key: string, value: unknown]>): void => {
    const all = [...entries];
    this.#strays = all.map(([key]) => key).filter((key) => !this.#receivers.has(key));
    for (const [key, value] of all) {
      const seq = typeof value === 'object' && value !== null && 'seq' in value ? value.seq : undefined;
      if (Number.isSafeInteger(seq)) this.#positions.set(key, Number(seq));
    }
  };

  /** Each from where it was; whoever is new, from now on. */
  start(): void {
    const { lastSeq } = this.#options.history;
    for (const [key, receiver] of this.#receivers) receiver.start(this.#positions.get(key) ?? lastSeq);
  }

  /** Tries once more to tell what is left. Resolves within that time; what is not taken by then is told after the next start. */
  async finish(withinMs: number): Promise<void> {
    const deadline = new AbortController();
    const isOver = new Promise<void>((resolve) => deadline.signal.addEventListener('abort', () => resolve()));
    const cancel = this.#options.scheduler.after(withinMs, () => deadline.abort());
    const receivers = [...this.#receivers.values()];
    await Promise.race([Promise.all(receivers.map((receiver) => receiver.finish(deadline.signal))), isOver]);
    cancel();
    for (const receiver of receivers) receiver.stop();
    await Promise.all([...this.#posts.values()].map(async (post) => (await post).close()));
  }

  /** Opened when there is something to tell. */
  #postTo(key: string, { url }: WebhookAddress): Promise<Post> {
    const post = this.#posts.get(key) ?? openPost(url.origin);
    this.#posts.set(key, post);
    return post;
  }

  /** How many of them do not take what they are told. */
  get failingCount(): number {
    return [...this.#receivers.values()].filter(({ isFailing }) => isFailing).length;
  }

  /** In a few words; undefined: there are none. */
  says(): string | undefined {
    const all = [...this.#receivers.values()];
    if (all.length === 0) return undefined;
    const behind = all.map((receiver) => receiver.behind).filter((records) => records > 0);
    return behind.length === 0
      ? `${all.length}, all told`
      : `${all.length}, ${behind.length} of them up to ${Math.max(...behind)} events behind`;
  }
}

export interface WebhooksMeans extends Omit<WebhooksOptions, 'webhooks' | 'wants' | 'timeoutMs'> {
  readonly options: {
    readonly webhook: string;
    readonly webhookCauses: string;
    readonly webhookKinds: string;
    readonly webhookTimeoutMs: number;
  };
  readonly secrets: readonly (string | undefined)[];
}

export interface Webhook {
  readonly address: WebhookAddress;
  readonly secret: string | undefined;
}

export interface WebhooksOptions {
  readonly webhooks: readonly Webhook[];
  readonly history: History;
  readonly scheduler: Pick<Scheduler, 'after'>;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly log: Logger;
  readonly wants: (record: EventRecord) => boolean;
  /** Where it is counted what became of messages; and, `dropped` and `missed`, of events. */
  readonly taps: Pick<Taps, 'webhooks'>;
  readonly bridge: string;
  readonly timeoutMs: number;
}

/** Nothing of the address can be read from it. */
function keyOf({ form, url, authorization = '' }: WebhookAddress): string {
  return createHash('sha256').update(`${form} ${url.href} ${authorization}`).digest('hex').slice(0, 32);
}
