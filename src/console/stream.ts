import { ConnectionClosed, written } from '../wire/answer.ts';
import { headerOf, ipOf, type Request, type Response } from '../wire/exchange.ts';
import type { SharedTurns } from '../wire/shared-turns.ts';
import { Screen } from './deltas.ts';
import type { Joined, Shown } from './looks.ts';
import type { Pulse } from './pulse.ts';
import type { Happened, Reader, Sources } from './sources.ts';

export interface Streaming extends Pick<Sources, 'events' | 'openAnswers' | 'scheduler' | 'shutdown' | 'streams'> {
  readonly pulse: Pulse;
  /** Those that looks are made in. */
  readonly turns: SharedTurns;
  readonly joined: Joined;
  readonly reader: Reader;
  /** Calls `end` once nothing more may be told. */
  readonly follow: (end: () => void) => () => void;
  /** Answers whoever is one too many. */
  readonly refuse: (req: Request, res: Response, limit: 'in all' | 'of one address') => void;
}

/**
 * What is on the screen of one page, and what changes of it, as server-sent events, from its turn on. Nothing queues up for a slow reader:
 * it is told what is so when it has taken what it was told before.
 */
export async function streamView(req: Request, res: Response, streaming: Streaming): Promise<void> {
  const { streams, refuse, openAnswers, joined } = streaming;
  const ip = ipOf(req);
  const limit = streams.limitFor(ip);
  if (limit !== undefined) {
    joined.leave();
    refuse(req, res, limit);
    return;
  }
  streams.add(ip);
  openAnswers.add(res);
  try {
    await tell(req, res, streaming);
  } catch (error) {
    if (!(error instanceof ConnectionClosed)) throw error;
  } finally {
    streams.remove(ip);
    joined.leave();
  }
}

async function tell(req: Request, res: Response, streaming: Streaming): Promise<void> {
  const { pulse, shutdown, follow, reader } = streaming;
  const state: { over?: 'refused' | 'draining' | 'left'; isDue: boolean; wake: () => void } = { isDue: true, wake: () => {} };
  const end = (why: 'refused' | 'draining' | 'left') => {
    state.over ??= why;
    state.wake();
  };
  const [ended, drained] = [() => end('left'), () => end('draining')];
  const leave = pulse.join(() => {
    state.isDue = true;
    state.wake();
  });
  const unfollow = follow(() => end('refused'));
  res.once('close', ended);
  shutdown.addEventListener('abort', drained);
  if (shutdown.aborted) drained();
  try {
    res.statusCode = 200;
    res.setHeader('Content-Type', 'text/event-stream');
    res.setHeader('Cache-Control', 'no-store');
    const teller = new Teller(res, streaming, headerOf(req, 'last-event-id'));
    while (state.over === undefined && !res.destroyed) {
      state.isDue = false;
      if (reader.holds()) await teller.tellWhatIsNew();
      else end('refused');
      if (!state.isDue && state.over === undefined)
        await new Promise<void>((resolve) => {
          state.wake = resolve;
        });
    }
    if (state.over !== 'left') await written(res, `event: over\ndata: ${JSON.stringify({ reason: state.over })}\n\n`);
    res.end();
  } finally {
    leave();
    unfollow();
    res.off('close', ended);
    shutdown.removeEventListener('abort', drained);
  }
}

/** How far one page has been told. */
class Teller {
  readonly #res: Response;
  readonly #streaming: Streaming;
  readonly #screen: Screen;
  #isFirst = true;
  #seq: number;
  #missed: string | undefined;
  #quietSince = 0;

  constructor(res: Response, streaming: Streaming, lastEventId: string) {
    this.#res = res;
    this.#streaming = streaming;
    this.#screen = new Screen(streaming.joined.opened.onlyAtFirst);
    const { events } = streaming;
    const [last, said] = [events.lastSeq(), /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : undefined];
    this.#seq = said === undefined || said > last ? last : said;
    // Of a life before, of which nothing is known.
    if (said !== undefined && said > last) this.#missed = '{}';
  }

  async tellWhatIsNew(): Promise<void> {
    const { turns, joined } = this.#streaming;
    const shown = await joined.look();
    // All who look at the same have it at the same moment, and each has much to be told while much happens.
    const text = await turns.next(() => (this.#res.destroyed ? '' : this.#newIn(shown)));
    // Proxies cut what says nothing for a minute, and a page wants to know that somebody is there.
    if (text === '' && ++this.#quietSince < COMMENT_AFTER) return;
    this.#quietSince = 0;
    await written(this.#res, text === '' ? ':\n\n' : text);
  }

  #newIn(shown: Shown): string {
    const { opened } = this.#streaming.joined;
    // What happened until then is in it, whatever a page has been told before.
    if (this.#isFirst && opened.isToldAtFirst === true) {
      this.#seq = shown.seq;
      this.#missed = undefined;
    }
    this.#isFirst = false;
    const delta = this.#screen.deltaTo(shown);
    // Up to there it has been told what happened: of what comes below nothing is lost if the connection is cut in between.
    const view = delta === undefined ? '' : said('view', this.#seq, delta);
    return view + this.#happened();
  }

  #happened(): string {
    const { events, reader, joined } = this.#streaming;
    const { hears, toldOf = (happened) => events.viewOf(happened, MOST_NAMED) } = joined.opened;
    if (hears === undefined) return '';
    let text = '';
    const missed = events.oldestSeq() - 1 - this.#seq;
    // How many of them are of his nobody knows.
    if (missed > 0) this.#missed = reader.maySeeAll ? JSON.stringify({ count: missed }) : '{}';
    const told: Happened[] = [];
    let left = 0;
    for (const happened of events.after(this.#seq)) {
      this.#seq = happened.seq;
      if (!hears(happened) || !maySee(reader, happened)) continue;
      if (told.length >= MOST_AT_ONCE) {
        told.shift();
        left++;
      }
      told.push(happened);
    }
    // Nobody reads hundreds of lines a second: of a storm the last ones are told, and how many there were.
    if (left > 0 && (missed <= 0 || reader.maySeeAll)) this.#missed = JSON.stringify({ count: left + Math.max(0, missed) });
    if (this.#missed !== undefined) text += `event: missed\ndata: ${this.#missed}\n\n`;
    this.#missed = undefined;
    for (const happened of told) text += said('happened', happened.seq, JSON.stringify(toldOf(happened)));
    return text;
  }
}

/** Of what is about no service only who may see everything. */
export function maySee(reader: Reader, { service }: Pick<Happened, 'service'>): boolean {
  return service === undefined ? reader.maySeeAll : reader.maySee(service);
}

function said(event: string, id: number, json: string): string {
  return `event: ${event}\nid: ${id}\ndata: ${json}\n\n`;
}

/** In rounds, of which there is one a second at least. */
const COMMENT_AFTER = 10;
const MOST_AT_ONCE = 100;
/** Of those to whom one thing happened, at most. */
const MOST_NAMED = 20;
