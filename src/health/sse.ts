import { answerJson, atItsTurn, ConnectionClosed, written } from '../wire/answer.ts';
import { peerOf, type Request, type Response } from '../wire/exchange.ts';
import type { OpenAnswers } from '../wire/open-answers.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import { wordOf } from './endpoints.ts';
import type { HealthName } from './names.ts';
import type { Visitor } from './visitor.ts';
import type { Watches } from './watch.ts';

/** What a stream of statuses needs beside its request. */
export interface StatusEventsOptions {
  readonly watches: Watches;
  readonly openAnswers: OpenAnswers;
  readonly scheduler: Pick<Scheduler, 'after'>;
  /** Who asks; everybody is told when left out. */
  readonly visitorOf?: ((req: Request) => Visitor) | undefined;
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
  const { watches, openAnswers, scheduler, shutdown, visitorOf } = options;
  await new Promise<void>((resolve) => atItsTurn(res, resolve));
  let wake = () => {};
  const look = () => wake();
  let isOver = false;
  const end = () => {
    isOver = true;
    wake();
  };
  let unsent = 0;
  // Whoever does not read would be in the way for as long as that.
  const giveWay = () => (unsent > 0 ? res.destroy() : end());
  const watch = watches.open(name, peerOf(req), { wake: look, giveWay });
  if (watch === undefined) {
    answerJson(res, 429, { reason: 'too many watches' });
    return;
  }
  openAnswers.add(res);
  let cancelComment = () => {};
  const say = (text: string) => {
    cancelComment();
    cancelComment = scheduler.after(SSE_COMMENT_AFTER_MS, () => void say(':\n\n').catch(() => {}));
    unsent++;
    return written(res, text).finally(() => unsent--);
  };
  const unfollow = (name === 'bridge' ? undefined : visitorOf?.(req))?.follow(end);
  res.once('close', look);
  shutdown.addEventListener('abort', look);
  try {
    res.statusCode = 200;
    res.setHeader('Content-Type', 'text/event-stream');
    res.setHeader('Cache-Control', 'no-store');
    while (!res.destroyed && !res.closed && !shutdown.aborted && !isOver) {
      const status = watch.take();
      if (status !== undefined) await say(`data: {"status":"${wordOf(status)}"}\n\n`);
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    res.end();
  } catch (error) {
    if (!(error instanceof ConnectionClosed)) throw error;
  } finally {
    cancelComment();
    unfollow?.();
    watch.close();
    shutdown.removeEventListener('abort', look);
  }
}
