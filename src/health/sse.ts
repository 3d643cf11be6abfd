import { answerJson, atItsTurn, ConnectionClosed, written } from '../wire/answer.ts';
import { peerOf, type Request, type Response } from '../wire/exchange.ts';
import type { OpenAnswers } from '../wire/open-answers.ts';
import { wordOf } from './endpoints.ts';
import type { HealthName } from './names.ts';
import type { Watches } from './watch.ts';

/** What a stream of statuses needs beside its request. */
export interface StatusEventsOptions {
  readonly watches: Watches;
  readonly openAnswers: OpenAnswers;
  /** Aborted when all streams are to end. */
  readonly shutdown: AbortSignal;
}

/** Proxies cut what says nothing for a minute. */
const SSE_COMMENT_AFTER_MS = 15_000;

/**
 * The status of a name and each change of it, as server-sent events. A reader that leaves ends it; whatever else goes wrong is the
 * caller's to tell.
 */
export async function streamStatuses(req: Request, res: Response, name: HealthName, options: StatusEventsOptions): Promise<void> {
  const { watches, openAnswers, shutdown } = options;
  await new Promise<void>((resolve) => atItsTurn(res, resolve));
  let wake = () => {};
  const watch = watches.open(name, peerOf(req), { wake: () => wake() });
  if (watch === undefined) {
    answerJson(res, 429, { reason: 'too many watches' });
    return;
  }
  openAnswers.add(res);
  const end = () => wake();
  res.once('close', end);
  shutdown.addEventListener('abort', end);
  try {
    res.statusCode = 200;
    res.setHeader('Content-Type', 'text/event-stream');
    res.setHeader('Cache-Control', 'no-store');
    // Not given to `setTimeout`, which over HTTP/2 calls it once only.
    res.on('timeout', () => void written(res, ':\n\n').catch(() => {}));
    res.setTimeout(SSE_COMMENT_AFTER_MS);
    while (!res.destroyed && !res.closed && !shutdown.aborted) {
      const status = watch.take();
      if (status !== undefined) await written(res, `data: {"status":"${wordOf(status)}"}\n\n`);
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    res.end();
  } catch (error) {
    if (!(error instanceof ConnectionClosed)) throw error;
  } finally {
    watch.close();
    shutdown.removeEventListener('abort', end);
  }
}
