import { expect, it } from 'vitest';
import { fuzz } from '../../support/http2-fuzz.ts';
import { randomRuns } from '../../support/random.ts';

const { parameters, title, timeoutMs } = randomRuns(30_000);

it(`no bytes harm the engine, whatever they are ${title}`, { timeout: timeoutMs }, async () => {
  const { answered, refused } = await fuzz(parameters.seed, parameters.numRuns);
  // Neither all nonsense nor all sound, or it would be no test.
  expect(answered / parameters.numRuns).toBeGreaterThan(0.2);
  expect(refused / parameters.numRuns).toBeGreaterThan(0.2);
});
