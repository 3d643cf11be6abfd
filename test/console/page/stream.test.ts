import { expect, test } from 'vitest';
import { applied } from '../../../console/src/deltas.ts';
import { queryOf } from '../../../console/src/live.ts';
import { href, parseRoute } from '../../../console/src/route.ts';
import { SseReader } from '../../../console/src/sse.ts';

const STREAM =
  ': hello\r\n\r\nid: 7\r\nevent: view\r\ndata: {"a":\r\ndata: 1}\r\n\r\ndata: two\n\nid: 8\revent: over\rdata:three\r\r\n';

test('server-sent events are read in whatever pieces they come', () => {
  const whole = [
    { event: 'view', data: '{"a":\n1}', id: '7' },
    { event: 'message', data: 'two', id: '7' },
    { event: 'over', data: 'three', id: '8' },
  ];
  for (let size = 1; size <= STREAM.length; size++) {
    const reader = new SseReader();
    const messages = [];
    for (let at = 0; at < STREAM.length; at += size) messages.push(...reader.push(STREAM.slice(at, at + size)));
    expect(messages, `in pieces of ${size}`).toEqual(whole);
  }
});

// What a row of a view has beside its key is of no account here.
const row = (key: string, n: number) => ({ key, n }) as never;

test('a change leaves the rows that it does not name as they are, and drops those that are not in order any more', () => {
  const first = applied(undefined, {
    whole: true,
    facts: { found: 2 } as never,
    rows: [row('a', 1), row('b', 1)],
    order: ['b', 'a'],
  });
  expect(first).toEqual({ facts: { found: 2 }, rows: [row('b', 1), row('a', 1)] });
  const second = applied(first, { rows: [row('c', 1)], order: ['a', 'c'] });
  expect(second.rows).toEqual([row('a', 1), row('c', 1)]);
  expect(second.rows[0]).toBe(first.rows[1]);
  expect(second.facts).toBe(first.facts);
  expect(applied(second, { whole: true, rows: [], order: [] }).rows).toEqual([]);
});

test('an address and what it stands for are the same', () => {
  expect(parseRoute('')).toEqual({ view: 'now', params: {} });
  expect(parseRoute('#/nowhere').view).toBe('unknown');
  const address = href('service', { namespace: 'public', group: 'a&b', service: 'DEFAULT?x=1', page: undefined, search: '' });
  expect(parseRoute(address)).toEqual({ view: 'service', params: { namespace: 'public', group: 'a&b', service: 'DEFAULT?x=1' } });
});

test("what is the page's alone is not asked of the server", () => {
  expect(queryOf('events', { text: 'a b', _paused: '1' })).toBe('view=events&text=a+b');
  expect(queryOf('login', { to: '#/' })).toBe('');
});
