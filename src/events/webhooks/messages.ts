import { createHmac } from 'node:crypto';
import type { EventRecord } from '../record.ts';
import { viewOf } from '../view.ts';
import type { WebhookAddress, WebhookForm } from './address.ts';
import { type TextRoom, textOf } from './texts.ts';

/** What is sent once. */
export interface Message {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How many of the records are told by it. */
  readonly count: number;
}

/** What a form can carry, and how often. */
export interface FormRules {
  /** Records at once. */
  readonly most: number;
  /** Between two messages. */
  readonly pauseMs: number;
}

/**
 * Robots of DingTalk and WeCom take 20 messages a minute, and DingTalk's is shut up for ten minutes for more; Feishu's takes 100 a minute and
 * 5 a second; Slack asks for one a second at most.
 */
export const FORM_RULES: Readonly<Record<WebhookForm, FormRules>> = {
  json: { most: 100, pauseMs: 0 },
  dingtalk: { most: 1_000, pauseMs: 4_000 },
  wecom: { most: 1_000, pauseMs: 4_000 },
  feishu: { most: 1_000, pauseMs: 1_000 },
  slack: { most: 1_000, pauseMs: 1_500 },
};

/** Of a body of our own: the first record is told whatever its length. */
const MOST_BYTES = 512 << 10;
/** Of the texts of chats. WeCom's must not have more than 2,048 bytes; of the others nobody reads more. */
const MOST_TEXT_BYTES: Readonly<Record<Exclude<WebhookForm, 'json'>, number>> = {
  dingtalk: 6_000,
  wecom: 2_000,
  feishu: 6_000,
  slack: 3_000,
};

export interface ToBeTold {
  readonly records: readonly EventRecord[];
  /** So many before them are kept no more. */
  readonly missed: number;
}

export interface MessageRoom extends Omit<TextRoom, 'fits'> {
  readonly secret: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export function messageFor(address: WebhookAddress, told: ToBeTold, room: MessageRoom): Message {
  return address.form === 'json' ? ownMessage(address, told, room) : chatMessage(address, address.form, told, room);
}

/** The receiver reckons the same of the bytes that it has read, before it reads them as JSON. */
function ownMessage({ url, authorization }: WebhookAddress, { records, missed }: ToBeTold, room: MessageRoom): Message {
  const texts: string[] = [];
  let bytes = 0;
  for (const record of records) {
    const text = JSON.stringify(viewOf(record));
    bytes += Buffer.byteLength(text);
    if (texts.length > 0 && bytes > MOST_BYTES) break;
    texts.push(text);
  }
  const last = records[texts.length - 1]?.seq ?? 0;
  // The same again has the same: whoever has it already knows it by that.
  const id = `${records[0]?.seq ?? 0}-${last}`;
  const body = `{"bridge":${JSON.stringify(room.bridge)},"id":"${id}","missed":${missed},"events":[${texts.join(',')}]}`;
  const timestamp = String(Math.floor(room.now / 1_000));
  const headers = {
    ...headersFor(authorization),
    'x-beatbridge-delivery': id,
    'x-beatbridge-timestamp': timestamp,
    ...(room.secret !== undefined && { 'x-beatbridge-signature': `sha256=${hmac(room.secret, `${timestamp}.${body}`, 'hex')}` }),
  };
  return { path: url.pathname + url.search, headers, body, count: texts.length };
}

function chatMessage(
  { url, authorization }: WebhookAddress,
  form: Exclude<WebhookForm, 'json'>,
  { records, missed }: ToBeTold,
  room: MessageRoom,
): Message {
  const fits = (text: string) => Buffer.byteLength(text) <= MOST_TEXT_BYTES[form];
  const text = textOf(records, missed, { ...room, fits });
  const signed = signedBy(form, room);
  const query = new URLSearchParams(signed.query).toString();
  const search = query === '' ? url.search : `${url.search === '' ? '?' : `${url.search}&`}${query}`;
  const body = JSON.stringify({ ...BODIES[form](text), ...signed.body });
  return { path: url.pathname + search, headers: headersFor(authorization), body, count: records.length };
}

const BODIES: Readonly<Record<Exclude<WebhookForm, 'json'>, (text: string) => object>> = {
  dingtalk: (text) => ({ msgtype: 'text', text: { content: text } }),
  wecom: (text) => ({ msgtype: 'text', text: { content: text } }),
  feishu: (text) => ({ msg_type: 'text', content: { text } }),
  // docs.slack.dev/messaging/formatting-message-text: these three are written so; there are no other ones.
  slack: (text) => ({ text: text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;') }),
};

/**
 * DingTalk (open.dingtalk.com, "custom robots: security settings"): the secret signs the time in milliseconds and itself. Feishu
 * (open.feishu.cn, "custom bot guide: signature"): the time in seconds and the secret are the key, and nothing is signed with it.
 */
function signedBy(
  form: WebhookForm,
  { secret, now }: MessageRoom,
): { readonly query?: Record<string, string>; readonly body?: object } {
  if (secret === undefined) return {};
  if (form === 'dingtalk') return { query: { timestamp: String(now), sign: hmac(secret, `${now}\n${secret}`, 'base64') } };
  if (form !== 'feishu') return {};
  const timestamp = String(Math.floor(now / 1_000));
  return { body: { timestamp, sign: hmac(`${timestamp}\n${secret}`, '', 'base64') } };
}

function headersFor(authorization: string | undefined): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/json; charset=utf-8',
    'user-agent': 'beatbridge',
    ...(authorization !== undefined && { authorization }),
  };
}

function hmac(key: string, text: string, encoding: 'hex' | 'base64'): string {
  return createHmac('sha256', key).update(text).digest(encoding);
}
