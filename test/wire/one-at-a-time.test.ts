import { expect, it } from 'vitest';
import { oneAtATime } from '../../src/wire/one-at-a-time.ts';

/** Runs that end when the test says so. */
function room() {
  const ends: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  let open = 0;
  const most = { open: 0 };
  const ask = oneAtATime(async () => {
    most.open = Math.max(most.open, ++open);
    await new Promise<void>((resolve, reject) => void ends.push({ resolve, reject })).finally(() => open--);
  });
  return { ask, ends, most };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('what is asked for while it runs is done once more, however often, and never beside itself', async () => {
  const { ask, ends, most } = room();
  const first = ask();
  for (let i = 0; i < 5; i++) void ask();
  expect(ends).toHaveLength(1);
  ends[0]?.resolve();
  await settled();
  expect(ends).toHaveLength(2);
  ends[1]?.resolve();
  await first;
  expect([ends.length, most.open]).toEqual([2, 1]);
});

it('what is asked for in whatever moment of its end is done', async () => {
  for (let steps = 0; steps < 20; steps++) {
    const { ask, ends } = room();
    void ask();
    ends[0]?.resolve();
    for (let i = 0; i < steps; i++) await Promise.resolve();
    const again = ask();
    await settled();
    expect(ends).toHaveLength(2);
    ends[1]?.resolve();
    await again;
  }
});

it('a run that fails is told to who waits for it, and the next one runs all the same', async () => {
  const { ask, ends } = room();
  const first = ask();
  ends[0]?.reject(new Error('the disk is gone'));
  await expect(first).rejects.toThrow('the disk is gone');
  const next = ask();
  ends[1]?.resolve();
  await next;
  expect(ends).toHaveLength(2);
});
