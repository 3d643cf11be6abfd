import { answerInPieces, answerText, atItsTurn } from '../wire/answer.ts';
import { headerOf, ipOf, type Request, type Response, type Serve } from '../wire/exchange.ts';
import type { OpenAnswers } from '../wire/open-answers.ts';
import type { Refused } from '../wire/refused.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import { CONTENT_TYPES, formatFor } from './exposition.ts';
import type { Metrics } from './metrics.ts';

/** `/metrics` on the wire, and the same where Nacos has it. A reader that is slow costs a text, and so there are not many of these. */
export interface MetricsPathsOptions {
  readonly metrics: Pick<Metrics, 'text'>;
  /** Whether who asks may read all there is; one who may not has been told so. */
  readonly mayRead: (req: Request, res: Response) => boolean | Promise<boolean>;
  readonly openAnswers: OpenAnswers;
  readonly refused: Refused;
  readonly scheduler: Pick<Scheduler, 'soon'>;
}

/** Who answers on a path, if it is one of these. */
export function metricsPaths(options: MetricsPathsOptions): (path: string) => Serve | undefined {
  let open = 0;
  const serve: Serve = (req, res) => {
    req.resume();
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('Allow', 'GET, HEAD');
      answerText(res, 405, 'GET or HEAD\n');
      return undefined;
    }
    const may = options.mayRead(req, res);
    return may instanceof Promise ? may.then((later) => told(req, res, later)) : told(req, res, may);
  };
  return (path) => (path === PATH || path === NACOS_PATH ? serve : undefined);

  async function told(req: Request, res: Response, may: boolean): Promise<void> {
    if (!may) return;
    // Before it is counted: the turn of one whose connection has ended never comes.
    await new Promise<void>((resolve) => atItsTurn(res, resolve));
    if (open >= MOST_OPEN) {
      options.refused.count('readers of metrics', ipOf(req));
      res.setHeader('Retry-After', '1');
      answerText(res, 503, `more than ${MOST_OPEN} read metrics at once: ask again later\n`);
      return;
    }
    open++;
    try {
      options.openAnswers.add(res);
      const format = formatFor(headerOf(req, 'accept'));
      const text = await options.metrics.text(format);
      res.setHeader('Cache-Control', 'no-store');
      await answerInPieces(res, 200, CONTENT_TYPES[format], text, (run) => options.scheduler.soon(run));
    } finally {
      open--;
    }
  }
}

const PATH = '/metrics';
const NACOS_PATH = '/nacos/actuator/prometheus';
/** One Prometheus asks at a time, and there are few of them. */
const MOST_OPEN = 16;
