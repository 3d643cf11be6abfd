import { expect, it } from 'vitest';
import { createServer, OptionsError } from '../../src/index.ts';

it('a server whose options are not fit rejects with all that is wrong with them', async () => {
  const wrong = { minAvailable: '150%', maxListed: 0, pushDelayMs: -5, prot: 3 };
  const starting = createServer(wrong);
  await expect(starting).rejects.toThrow(OptionsError);
  await expect(starting).rejects.toMatchObject({
    faults: [
      'minAvailable must be a count from 1, or 1%..100%, got "150%"',
      'pushDelayMs must be 0..10000, got -5',
      'maxListed must be 1..100000000, got 0',
      'prot is not an option, did you mean port?',
    ],
  });
});
