import { expect, it } from 'vitest';
import { Refusals } from '../../src/events/refusals.ts';
import { saidOfRefusal } from '../../src/server/limit-options.ts';
import { Refused } from '../../src/wire/refused.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

function room() {
  const scheduler = new ManualScheduler();
  const told: object[] = [];
  const refusals = new Refusals({ scheduler, saidOf: saidOfRefusal, note: (said) => void told.push(said) });
  const refused = new Refused();
  refused.follow((refusal) => refusals.note(refusal));
  return { scheduler, refused, told: () => told.splice(0), refusals, [Symbol.dispose]: () => refusals.stop() };
}

it('the first refusal of a kind is told at once, and then once a minute how many there were, from where', () => {
  using it = room();
  for (let i = 0; i < 10_000; i++) it.refused.count('instances', `10.0.0.${i % 250}`);
  const option = '--max-instances';
  expect(it.told()).toEqual([{ count: 1, by: { peer: '10.0.0.0' }, detail: { what: 'instances', option } }]);
  it.scheduler.advance(60_000);
  const rest = { count: 9_999, by: { peer: '10.0.0.249' }, detail: { what: 'instances', firstPeer: '10.0.0.1', option } };
  expect(it.told()).toEqual([rest]);
  it.scheduler.advance(60_000);
  expect([it.told(), it.scheduler.open]).toEqual([[], 0]);
  it.refused.count('instances');
  expect(it.told()).toEqual([{ count: 1, detail: { what: 'instances', option } }]);
});

it('what was refused until the end is told in the end', () => {
  const it = room();
  for (let i = 0; i < 3; i++) it.refused.count('watches');
  it.told();
  it.refusals.stop();
  expect(it.told()).toMatchObject([{ count: 2, detail: { option: '--max-watches' } }]);
  expect(it.scheduler.open).toBe(0);
});

it('who is refused a seat is told with what seats there are, and only by whoever gives them away', () => {
  using it = room();
  it.refused.count('connections', '10.0.0.1');
  expect(it.told()).toEqual([]);
  const facts = { form: 'seats', open: 250, limit: 256, option: '--max-sockets' };
  it.refused.tell({ reason: 'connections', count: 7, facts });
  expect(it.told()).toEqual([{ count: 7, detail: { what: 'connections', ...facts } }]);
});
