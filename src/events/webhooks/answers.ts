import type { WebhookForm } from './address.ts';

/** What a receiver has made of what it was sent. */
export type Verdict =
  | { readonly is: 'taken' }
  /** It is down, busy, or not set up: the same is sent again until it is. */
  | { readonly is: 'later'; readonly why: string; readonly afterMs?: number | undefined }
  /** It does not want this, and says so of this alone. */
  | { readonly is: 'refused'; readonly why: string };

export interface ReceiverAnswer {
  readonly status: number;
  readonly retryAfter: string;
  /** The beginning of it, of chats. */
  readonly text: string;
}

const TAKEN: Verdict = { is: 'taken' };
/** A receiver may ask for as much patience, and for no more. */
const MOST_PATIENCE_MS = 3_600_000;
const AFTER_TOO_MANY_MS = 60_000;

/** Of these the receiver is at fault, or its address, and not what it was sent: somebody will put it right. */
const NOT_SET_UP: ReadonlySet<number> = new Set([401, 402, 403, 404, 405, 407, 410, 451]);
const BUSY: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * What chats answer with status 200. Seen, in their own pages or in answers that others have shown:
 * DingTalk: 130101 (send too fast, exceed 20 times per minute: blog.csdn.net/jialiuyang/article/details/118615052), 310000 (keywords
 * not in content, sign not match: github.com/timonwong/prometheus-webhook-dingtalk/issues/197, github.com/x-cold/dingtalk-robot/issues/7),
 * 300001 (token is not exist: github.com/Long0x0/ZJU-nCov-Hitcarder-Sample/issues/9), -1 (system busy, try again: a copy of its table of
 * codes, blog.csdn.net/Gjqhs/article/details/122913469).
 * WeCom: -1 (system busy, try again: developer.work.weixin.qq.com/document/path/90455), 45009 (api freq out of limit:
 * developers.weixin.qq.com/community/enterprisewechat/doc/0006e047caca30ab50ec916195b800), 93000 (invalid webhook url:
 * github.com/wes-lin/Cloud189Checkin/issues/175).
 * Feishu: 11232 (limited: open.larkoffice.com/document/ukTMukTMukTM/ucTM5YjL3ETO24yNxkjN.md, its guide to custom bots), 19021 (sign match
 * fail, or the time is an hour off), 19022 (IP not allowed) and 19024 (key words not found: a copy of that guide,
 * blog.csdn.net/qq_43108153/article/details/136166075). 9499 is "Bad Request" there; others try again on it, as on a limit
 * (github.com/kubesphere/notification-manager/pull/126), and so it is taken here, as what is sent is well-formed.
 * The rest are hearsay, of which no page was found. One that means something else costs patience, and no event.
 */
const CODES: Readonly<Partial<Record<WebhookForm, Codes>>> = {
  dingtalk: { busy: [-1], tooMany: [130_101, 410_100], notSetUp: [300_001, 300_005, 310_000, 400_013, 400_101, 400_102] },
  wecom: { busy: [-1], tooMany: [45_009, 45_033], notSetUp: [93_000, 93_004, 93_008] },
  feishu: { busy: [], tooMany: [11_232, 9_499], notSetUp: [19_001, 19_002, 19_021, 19_022, 19_024] },
};

interface Codes {
  readonly busy: readonly number[];
  readonly tooMany: readonly number[];
  readonly notSetUp: readonly number[];
}

export function verdictOf(form: WebhookForm, { status, retryAfter, text }: ReceiverAnswer, now: number): Verdict {
  if (status >= 200 && status < 300) return ofChat(form, text);
  const why = `status ${status}`;
  if (BUSY.has(status) || status >= 500)
    return { is: 'later', why, afterMs: status === 429 || status === 503 ? patienceOf(retryAfter, now) : undefined };
  // A redirect is not followed: what is told is for one address alone.
  return status < 400 || NOT_SET_UP.has(status) ? { is: 'later', why } : { is: 'refused', why };
}

function ofChat(form: WebhookForm, text: string): Verdict {
  const codes = CODES[form];
  if (codes === undefined) return TAKEN;
  const code = codeIn(text);
  if (code === 0) return TAKEN;
  if (code === undefined) return { is: 'later', why: `an answer that is none of ${form}` };
  const why = `${form} answered ${code}`;
  if (codes.tooMany.includes(code)) return { is: 'later', why, afterMs: AFTER_TOO_MANY_MS };
  return codes.busy.includes(code) || codes.notSetUp.includes(code) ? { is: 'later', why } : { is: 'refused', why };
}

function codeIn(text: string): number | undefined {
  try {
    const said: unknown = JSON.parse(text);
    if (typeof said !== 'object' || said === null) return undefined;
    const { errcode, code, StatusCode } = { errcode: undefined, code: undefined, StatusCode: undefined, ...said };
    const number: unknown = errcode ?? code ?? StatusCode;
    return typeof number === 'number' ? number : undefined;
  } catch {
    return undefined;
  }
}

/** In seconds, or as a date. */
function patienceOf(said: string, now: number): number | undefined {
  const ms = /^\d{1,9}$/.test(said) ? Number(said) * 1_000 : Date.parse(said) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MOST_PATIENCE_MS);
}
