import { createContextKey } from '@connectrpc/connect';
import type { Cancel } from '../wire/scheduler.ts';

/** Whether whoever asks is told of services: the composition root says so, where health is not for everybody. Of the bridge all are told. */
export interface Visitor {
  /** Why not, in a line; undefined when it is told. */
  readonly refusal: () => string | undefined | Promise<string | undefined>;
  /** Calls `end` with the reason once it is told no more. */
  readonly follow: (end: (why: string) => void) => Cancel;
}

export const EVERYBODY: Visitor = { refusal: () => undefined, follow: () => () => {} };

/** Who makes a call of Connect. */
export const visitorKey = createContextKey<Visitor>(EVERYBODY);
