import { answerJson } from './answer.ts';
import { ipOf, type Request, type Response } from './exchange.ts';
import type { Refused } from './refused.ts';

/** What whoever is one too many is answered, of those who are told what happens for as long as they like: events, or a page in a browser. */

export function refuserOfStreams(refused: Refused) {
  return (req: Request, res: Response, limit: 'in all' | 'of one address'): void => {
    const isInAll = limit === 'in all';
    refused.count(isInAll ? 'event streams' : 'event streams of one address', ipOf(req));
    const option = isInAll ? '--max-event-streams' : '--max-event-streams-per-peer';
    answerTooMany(res, `too many follow events already ${isInAll ? 'in all' : 'from one address'} (${option})`);
  };
}

export function answerTooMany(res: Response, reason: string): void {
  res.setHeader('Retry-After', '1');
  answerJson(res, 503, { reason });
}
