import { describe, expect, it } from 'vitest';
import type { ConfigId } from '../../../src/nacos/configs.ts';
import { configCalls } from '../../../src/nacos/http/configs.ts';
import type { ListenedText } from '../../../src/nacos/http/listening-configs.ts';
import { Params } from '../../../src/nacos/http/params.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { LIMITS } from '../../support/limits.ts';
import { emptyNacos } from '../../support/nacos-room.ts';

failOnLeaks();

const ID: ConfigId = { namespace: 'public', group: 'G', dataId: 'd' };
const text = (dataId = 'd', md5 = ''): ListenedText => ({ id: { ...ID, dataId }, dataId, group: 'G', tenant: '', md5 });

function setUp(limits: Partial<typeof LIMITS> = {}) {
  const { rooms, scheduler } = emptyNacos({ limits: { ...LIMITS, ...limits } });
  const { configs, configListeners, longPolls } = rooms;
  /** Waits, and notes how it ends. */
  const wait = (texts: readonly ListenedText[], ip = '10.0.0.1') => {
    const poll = { ended: 'not', leave: () => {} };
    longPolls.wait(texts, { ip, ms: 29_500, onLeave: (end) => void Object.assign(poll, { leave: end }) }).then(
      (changed) => Object.assign(poll, { ended: changed.map(({ dataId }) => dataId).join() }),
      (error: Error) => Object.assign(poll, { ended: error.message }),
    );
    return poll;
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const left = () => ({ polls: longPolls.count, texts: configListeners.textCount, timers: scheduler.open });
  return { configs, longPolls, scheduler, wait, settled, left };
}

const NOTHING = { polls: 0, texts: 0, timers: 0 };

describe('a long poll', () => {
  it('ends with nothing when its time is over, and leaves nothing', async () => {
    const { scheduler, wait, settled, left } = setUp();
    const poll = wait([text(), text('e')]);
    expect(left()).toEqual({ polls: 1, texts: 2, timers: 1 });
    scheduler.advance(29_499);
    await settled();
    expect(poll.ended).toBe('not');
    scheduler.advance(1);
    await settled();
    expect([poll.ended, left()]).toEqual(['', NOTHING]);
  });

  it('ends with the first that changes, and leaves nothing', async () => {
    const { configs, wait, settled, left } = setUp();
    const polls = [wait([text(), text('e')]), wait([text('e'), text('f')])];
    configs.publish(ID, 'x', 'text', '');
    configs.publish({ ...ID, dataId: 'e' }, 'x', 'text', '');
    await settled();
    expect(polls.map(({ ended }) => ended)).toEqual(['d', 'e']);
    expect(left()).toEqual(NOTHING);
  });

  it('ends at once with all that has changed already', async () => {
    const { configs, scheduler, wait, settled, left } = setUp();
    configs.publish(ID, 'x', 'text', '');
    const poll = wait([text(), text('e', 'stale'), text('f')]);
    await settled();
    expect(poll.ended).toBe('d,e');
    // What it has been told is remembered for some seconds.
    scheduler.advance(10_000);
    expect(left()).toEqual(NOTHING);
  });

  it('that asks with what it had before it was told is told again, but not at once', async () => {
    const { configs, scheduler, wait, settled, left } = setUp();
    configs.publish(ID, 'x', 'text', '');
    wait([text()]);
    const [again, later, elsewhere] = [wait([text()]), wait([text('d', 'of the past')]), wait([text()], '10.0.0.2')];
    await settled();
    expect([again.ended, later.ended, elsewhere.ended]).toEqual(['not', 'd', 'd']);
    scheduler.advance(1_999);
    await settled();
    expect(again.ended).toBe('not');
    scheduler.advance(1);
    await settled();
    expect(again.ended).toBe('d');
    scheduler.advance(10_000);
    const afterAWhile = wait([text()]);
    await settled();
    expect(afterAWhile.ended).toBe('d');
    scheduler.advance(10_000);
    expect(left()).toEqual(NOTHING);
  });

  it('ends when its caller leaves, and leaves nothing', async () => {
    const { wait, left } = setUp();
    const poll = wait([text()]);
    poll.leave();
    poll.leave();
    expect(left()).toEqual(NOTHING);
  });

  it('waits though none of its names can be one of a text', async () => {
    const { scheduler, wait, settled, left } = setUp();
    const poll = wait([{ ...text('a b', 'stale'), id: undefined }]);
    await settled();
    expect([poll.ended, left()]).toEqual(['not', { polls: 1, texts: 0, timers: 1 }]);
    scheduler.advance(29_500);
  });

  it('ends when the server goes, and none waits after that', async () => {
    const { longPolls, wait, settled, left } = setUp();
    const polls = [wait([text()]), wait([text('e')])];
    longPolls.close();
    polls.push(wait([text()]));
    await settled();
    expect(polls.map(({ ended }) => ended)).toEqual(['', '', '']);
    expect(left()).toEqual(NOTHING);
  });
});

it.each([
  [{ maxLongPollsPerPeer: 1 }, '10.0.0.1', 'more than 1 long polls from one address: ask again later'],
  [{ maxLongPolls: 1 }, '10.0.0.2', 'more than 1 long polls: ask again later'],
  [{ maxPolledConfigsPerPeer: 2 }, '10.0.0.1', 'more than 2 configs listened to from one address: ask again later'],
  [{ maxPolledConfigs: 2 }, '10.0.0.2', 'more than 2 configs listened to: ask again later'],
])('beyond %j a caller is refused, but not at once, and what has ended makes room', async (limits, ip, message) => {
  const { scheduler, wait, settled, left } = setUp(limits);
  const first = wait([text()]);
  const second = wait([text('e'), text('f')], ip);
  await settled();
  expect(second.ended).toBe('not');
  scheduler.advance(2_000);
  await settled();
  expect([first.ended, second.ended]).toEqual(['not', message]);
  first.leave();
  const third = wait([text('e'), text('f')], ip);
  scheduler.advance(2_000);
  await settled();
  expect(third.ended).toBe('not');
  third.leave();
  expect(left()).toEqual(NOTHING);
});

it('a caller that leaves before its refusal leaves nothing', () => {
  const { wait, left } = setUp({ maxLongPolls: 1 });
  const [first, second] = [wait([text()]), wait([text('e')])];
  second.leave();
  first.leave();
  expect(left()).toEqual(NOTHING);
});

it("what is only not answered at once is in nobody's way, and beyond as many of one address it is", async () => {
  const { configs, scheduler, wait, settled, left } = setUp({ maxLongPolls: 4, maxLongPollsPerPeer: 2 });
  const polls = [wait([text()]), wait([text('e')])];
  const refused = Array.from({ length: 3 }, () => wait([text('f')]));
  await settled();
  const TOO_MANY = 'more than 2 long polls from one address: ask again later';
  expect(refused.map(({ ended }) => ended)).toEqual(['not', 'not', TOO_MANY]);
  const others = [wait([text()], '10.0.0.2'), wait([text('e')], '10.0.0.2')];
  configs.publish({ ...ID, dataId: 'g' }, 'x', 'text', '');
  for (let i = 0; i < 2; i++) wait([text('g')], '10.0.0.2');
  await settled();
  expect([...polls, ...others].map(({ ended }) => ended)).toEqual(['not', 'not', 'not', 'not']);
  scheduler.advance(2_000);
  await settled();
  expect(refused.map(({ ended }) => ended)).toEqual([TOO_MANY, TOO_MANY, TOO_MANY]);
  scheduler.advance(30_000);
  await settled();
  expect([...polls, ...others].map(({ ended }) => ended)).toEqual(['', '', '', '']);
  expect(left()).toEqual(NOTHING);
});

it('where all may be no more, one of the address that has most ends for who has less', async () => {
  const { scheduler, wait, settled, left } = setUp({ maxLongPolls: 5, maxLongPollsPerPeer: 4 });
  const many = Array.from({ length: 4 }, (_, i) => wait([text(`d${i}`)]));
  const few = wait([text()], '10.0.0.2');
  const others = [wait([text()], '10.0.0.3'), wait([text()], '10.0.0.4')];
  await settled();
  expect([...many, few, ...others].map(({ ended }) => ended)).toEqual(['not', 'not', '', '', 'not', 'not', 'not']);
  const beyond = [wait([text()], '10.0.0.5'), wait([text()], '10.0.0.6')];
  scheduler.advance(2_000);
  await settled();
  // It has no more than that one would have.
  expect(beyond.map(({ ended }) => ended)).toEqual(['not', 'more than 5 long polls: ask again later']);
  scheduler.advance(30_000);
  expect(left()).toEqual(NOTHING);
});

it('where all may listen to no more texts, it is whoever listens to most that ends for who listens to less', async () => {
  const { scheduler, wait, settled, left } = setUp({ maxPolledConfigs: 10, maxPolledConfigsPerPeer: 8 });
  const listens = (count: number, ip: string) =>
    wait(
      Array.from({ length: count }, (_, i) => text(`d${i}`)),
      ip,
    );
  const many = [listens(2, '10.0.0.1'), listens(2, '10.0.0.1'), listens(4, '10.0.0.1')];
  const few = listens(2, '10.0.0.2');
  const third = listens(3, '10.0.0.3');
  await settled();
  expect([...many, few, third].map(({ ended }) => ended)).toEqual(['not', 'not', '', 'not', 'not']);
  const beyond = listens(5, '10.0.0.4');
  scheduler.advance(2_000);
  await settled();
  expect(beyond.ended).toBe('more than 10 configs listened to: ask again later');
  expect([...many, few, third].map(({ ended }) => ended)).toEqual(['not', 'not', '', 'not', 'not']);
  scheduler.advance(30_000);
  expect(left()).toEqual(NOTHING);
});

it.each([
  ['30000', 29_500],
  ['11000', 10_500],
  ['5000', 10_000],
  // PHP's client, which means seconds.
  ['30', 10_000],
  ['-1', 10_000],
  ['999999999999999', 120_000],
])('a caller that would wait %s ms is answered after %i', async (timeout, ms) => {
  const { rooms, scheduler } = emptyNacos();
  let ended = false;
  const headers: Record<string, string> = { 'long-pulling-timeout': timeout };
  const answer = configCalls(rooms).listen({
    // Nobody looks at more of it.
    request: { rawHeaders: [] } as never,
    params: Params.of({ 'Listening-Configs': 'd\u0002G\u0002\u0001' }),
    header: (name) => headers[name],
    caller: { ip: '10.0.0.1', hasLeft: () => false, isNext: true, onLeave: () => {} },
    agent: '',
    by: {},
    local: '',
  });
  Promise.resolve(answer).then(() => {
    ended = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  scheduler.advance(ms - 1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toBe(false);
  scheduler.advance(1);
  expect(await answer).toMatchObject({ data: '' });
});
