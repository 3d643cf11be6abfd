import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { EventRecord } from '../../../src/events/record.ts';
import { areWebhooks, parseWebhook, WEBHOOK_FORMS } from '../../../src/events/webhooks/address.ts';
import { verdictOf } from '../../../src/events/webhooks/answers.ts';
import { choiceOf } from '../../../src/events/webhooks/choice.ts';
import { messageFor } from '../../../src/events/webhooks/messages.ts';
import { at, ORDERS } from '../../support/events-room.ts';

const NOW = Date.parse('2026-11-26T12:00:00Z');
const SECRET = 'SECa0123456789abcdef';

const DOWN: EventRecord = {
  seq: 7,
  at: NOW - 5_000,
  kind: 'service',
  cause: 'silent',
  service: ORDERS,
  from: 'serving',
  to: 'not-serving',
  counts: { available: 0, total: 2, needed: 1 },
};
const STALLED: EventRecord = { seq: 8, at: NOW, kind: 'bridge', cause: 'stalled', detail: { gapMs: 3_000, unheardMs: 2_900 } };

function messageOf(
  form: string,
  records: readonly EventRecord[],
  { missed = 0, secret = undefined as string | undefined, query = '' } = {},
) {
  const address = parseWebhook(`${form}=https://chat.example/robot/send${query}`);
  if (address === undefined) throw new Error(`${form} is no form`);
  const behind = () => [{ ...at(1), lastBeatAt: NOW - 20_000 }];
  return messageFor(address, { records, missed }, { secret, bridge: 'node-1', now: NOW, behind });
}

const TEXT = [
  'beatbridge (node-1)',
  '[DOWN] orders is NOT_SERVING: no beat for too long in public: 10.0.0.1:80, last beat 2026-11-26T11:59:40.000Z; 0 of 2 available, 1 needed (since 2026-11-26T11:59:55.000Z)',
  '[!] the process was stalled, deadlines are postponed: gapMs 3000, unheardMs 2900 (since 2026-11-26T12:00:00.000Z)',
].join('\n');

describe('the text for a chat', () => {
  it.each([
    ['dingtalk', { msgtype: 'text', text: { content: TEXT } }],
    ['wecom', { msgtype: 'text', text: { content: TEXT } }],
    ['feishu', { msg_type: 'text', content: { text: TEXT } }],
    ['slack', { text: TEXT }],
  ])('is in the form that a robot of %s takes', (form, body) => {
    const message = messageOf(form, [DOWN, STALLED]);
    expect(JSON.parse(message.body)).toEqual(body);
    expect([message.path, message.count]).toEqual(['/robot/send', 2]);
  });

  it('is signed as DingTalk reckons it: in the URL, over the time in milliseconds', () => {
    const { path, body } = messageOf('dingtalk', [DOWN], { secret: SECRET, query: '?access_token=t' });
    const query = new URL(path, 'https://chat.example').searchParams;
    const sign = createHmac('sha256', SECRET).update(`${NOW}\n${SECRET}`).digest('base64');
    expect([...query]).toEqual([
      ['access_token', 't'],
      ['timestamp', String(NOW)],
      ['sign', sign],
    ]);
    expect(body).not.toContain('sign');
  });

  it('is signed as Feishu reckons it: in the body, over nothing, with the time in seconds in the key', () => {
    const { path, body } = messageOf('feishu', [DOWN], { secret: SECRET });
    const sign = createHmac('sha256', `${NOW / 1_000}\n${SECRET}`)
      .update('')
      .digest('base64');
    expect(JSON.parse(body)).toMatchObject({ timestamp: String(NOW / 1_000), sign });
    expect(path).toBe('/robot/send');
  });

  it.each([
    ['dingtalk', 6_000],
    ['wecom', 2_048],
    ['feishu', 20_000],
    ['slack', 4_000],
  ])('of %s stays within %i bytes and counts what it leaves out, however much happens', (form, most) => {
    const many = Array.from(
      { length: 1_000 },
      (_, i): EventRecord => ({ ...STALLED, seq: i, detail: { reason: '服'.repeat(500) } }),
    );
    const { body, count } = messageOf(form, many, { missed: 12 });
    const text = JSON.stringify(JSON.parse(body)).match(/beatbridge.*see \/events/)?.[0] ?? '';
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(most);
    expect(text).toContain('up to 12 events were kept no longer');
    const [, more] = /and (\d+) more: see/.exec(text) ?? [];
    expect(Number(more)).toBeGreaterThan(900);
    expect(count).toBe(1_000);
  });

  it('has one line for many services with the same fate', () => {
    const many = Array.from({ length: 300 }, (_, i): EventRecord => ({ ...DOWN, seq: i, service: { ...ORDERS, name: `s${i}` } }));
    expect(JSON.parse(messageOf('slack', many).body).text.split('\n').slice(1)).toEqual([
      '[DOWN] 300 services: no beat for too long: s0, s1, s2, s3, s4, s5, s6, s7 and 292 more (since 2026-11-26T11:59:55.000Z)',
    ]);
  });

  it.each(['slack', 'feishu', 'dingtalk', 'wecom'])(
    'mentions nobody and has no second line by a name that somebody registers: %s',
    (form) => {
      const name = '<at user_id="all">\n<!channel> @all & [a](http://b)';
      const { body } = messageOf(form, [{ ...DOWN, service: { ...ORDERS, name } }]);
      const { text, content } = JSON.parse(body);
      const said: string = text?.content ?? text ?? content.text;
      expect(said.split('\n')).toHaveLength(2);
      expect(said).not.toMatch(/[<>@]/);
    },
  );
});

describe('an address of a webhook', () => {
  it.each([
    ['https://a.example/x?y=1', 'json', '/x?y=1', 'json=https://a.example'],
    ['dingtalk=https://oapi.example/send?access_token=t#x', 'dingtalk', '/send?access_token=t', 'dingtalk=https://oapi.example'],
    ['slack=https://u:p%40ss@hooks.example/services/T/B/X', 'slack', '/services/T/B/X', 'slack=https://hooks.example'],
  ])('%s is of the form %s', (text, form, path, shown) => {
    const address = parseWebhook(text);
    expect([address?.form, (address?.url.pathname ?? '') + address?.url.search, address?.shown]).toEqual([form, path, shown]);
  });

  it('may have a name and a password, which go into a header', () => {
    const address = parseWebhook('https://u:p%40ss@a.example/');
    expect([address?.url.href, address?.authorization]).toEqual([
      'https://a.example/',
      `Basic ${Buffer.from('u:p@ss').toString('base64')}`,
    ]);
  });

  it.each([
    'a.example',
    'ftp://a.example',
    'teams=https://a.example',
    'https://',
    'dingtalk=',
    `https://a.example/${'x'.repeat(5_000)}`,
  ])('%s is none', (text) => expect(areWebhooks(text)).toBe(false));

  it('has a form of those that there are', () => {
    expect(WEBHOOK_FORMS.map((form) => areWebhooks(`${form}=https://a.example`))).not.toContain(false);
    expect(areWebhooks(Array.from({ length: 21 }, (_, i) => `https://a.example/${i}`).join(','))).toBe(false);
  });
});

it.each<[string, number, string, string]>([
  ['json', 200, '', 'taken'],
  ['json', 204, 'whatever', 'taken'],
  ['slack', 200, 'ok', 'taken'],
  ['slack', 400, 'invalid_payload', 'refused'],
  ['slack', 404, 'no_service', 'later'],
  ['dingtalk', 200, '{"errcode":0,"errmsg":"ok"}', 'taken'],
  ['dingtalk', 200, '{"errcode":130101,"errmsg":"send too fast"}', 'later 60000'],
  ['dingtalk', 200, '{"errcode":310000,"errmsg":"sign not match"}', 'later'],
  ['dingtalk', 200, '{"errcode":400102,"errmsg":"robot stopped"}', 'later'],
  ['dingtalk', 200, '{"errcode":40035,"errmsg":"bad parameter"}', 'refused'],
  ['dingtalk', 200, '{"errcode":-1,"errmsg":"system busy"}', 'later'],
  ['wecom', 200, '{"errcode":0}', 'taken'],
  ['wecom', 200, '{"errcode":-1}', 'later'],
  ['wecom', 200, '{"errcode":45009}', 'later 60000'],
  ['wecom', 200, '{"errcode":93000}', 'later'],
  ['feishu', 200, '{"code":0,"msg":"success"}', 'taken'],
  ['feishu', 200, '{"StatusCode":0,"StatusMessage":"success"}', 'taken'],
  ['feishu', 200, '{"code":11232,"msg":"frequency limited"}', 'later 60000'],
  ['feishu', 200, '{"code":19021,"msg":"sign match fail"}', 'later'],
  ['feishu', 200, '<html>a login page</html>', 'later'],
  ['json', 413, '', 'refused'],
  ['json', 302, '', 'later'],
])('what %s answers with %i %s is: %s', (form, status, text, is) => {
  const known = WEBHOOK_FORMS.find((one) => one === form) ?? 'json';
  const verdict = verdictOf(known, { status, retryAfter: '', text }, NOW);
  expect(verdict.is === 'later' && verdict.afterMs !== undefined ? `${verdict.is} ${verdict.afterMs}` : verdict.is).toBe(is);
});

describe('what a webhook is told of', () => {
  const records: Readonly<Record<string, EventRecord>> = {
    'an instance': { ...DOWN, kind: 'instance' },
    'a status': DOWN,
    'settings of a service': { seq: 1, at: NOW, kind: 'service', cause: 'configured', service: ORDERS },
    'very many': { seq: 1, at: NOW, kind: 'registry', cause: 'mass-silence', count: 300 },
    'a stall': STALLED,
    'the start': { seq: 1, at: NOW, kind: 'bridge', cause: 'started' },
    'a renewed certificate': { seq: 1, at: NOW, kind: 'bridge', cause: 'certificate', detail: { form: 'renewed' } },
    'a certificate that has ended': { seq: 1, at: NOW, kind: 'bridge', cause: 'certificate', detail: { form: 'ended' } },
  };
  const chosen = (causes: string, kinds: string) =>
    Object.entries(records).flatMap(([name, record]) => (choiceOf(causes, kinds)(record) ? [name] : []));

  it.each([
    ['', '', ['a status', 'very many', 'a stall', 'a certificate that has ended']],
    ['silent', '', ['an instance', 'a status']],
    ['silent,started', 'service,bridge', ['a status', 'the start']],
    ['', 'registry', ['very many']],
  ])('with the causes "%s" and the kinds "%s"', (causes, kinds, names) => {
    expect(chosen(causes, kinds)).toEqual(names);
  });
});
