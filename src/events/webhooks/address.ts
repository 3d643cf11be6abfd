/** Where what happened is told, and in which form. */
export interface WebhookAddress {
  readonly form: WebhookForm;
  /** Without a name and a password. */
  readonly url: URL;
  /** Basic authentication, where the URL had them. */
  readonly authorization: string | undefined;
  /** What logs may say of it: half of these services put their secret into the path. */
  readonly shown: string;
}

/** `json` is our own; the others are the texts of robots in chats. */
export const WEBHOOK_FORMS = ['json', 'dingtalk', 'wecom', 'feishu', 'slack'] as const;
export type WebhookForm = (typeof WEBHOOK_FORMS)[number];

/** More than anybody has to tell; each costs a look at what happened. */
const MOST_WEBHOOKS = 20;
const MOST_CHARACTERS = 4_000;

/** Reads `[FORM=]URL`: without a form it is our own JSON. Undefined: it is none. */
export function parseWebhook(text: string): WebhookAddress | undefined {
  const [, said = 'json', address = ''] = /^(?:([a-z]+)=)?(.*)$/s.exec(text.trim()) ?? [];
  const form = WEBHOOK_FORMS.find((one) => one === said);
  if (form === undefined || address.length > MOST_CHARACTERS || !/^https?:\/\//i.test(address) || !URL.canParse(address))
    return undefined;
  const url = new URL(address);
  const authorization = url.username === '' ? undefined : `Basic ${Buffer.from(namesIn(url)).toString('base64')}`;
  url.username = '';
  url.password = '';
  url.hash = '';
  return { form, url, authorization, shown: `${form}=${url.origin}` };
}

/** Of a list with commas between. A comma of a URL itself is written as %2C. */
export function parseWebhooks(text: string): readonly (WebhookAddress | undefined)[] {
  return listed(text).map(parseWebhook);
}

export function areWebhooks(text: string): boolean {
  const all = parseWebhooks(text);
  return all.length <= MOST_WEBHOOKS && all.every((one) => one !== undefined);
}

export function listed(text: string): readonly string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function namesIn({ username, password }: URL): string {
  try {
    return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  } catch {
    return `${username}:${password}`;
  }
}
