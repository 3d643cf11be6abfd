import { expect, it } from 'vitest';
import { fuzz } from '../support/http2-fuzz.ts';
import { randomRuns } from '../support/random.ts';

const RUNS = 10_000_000;
const STEP = 250_000;
const { parameters, title } = randomRuns(RUNS);

// Hours of the machine at the most: it is to end by itself all the same.
it(`ten million inputs do the engine no harm ${title}`, { timeout: 6 * 3_600_000 }, async () => {
  let answered = 0;
  for (let done = 0; done < parameters.numRuns; done += STEP) {
    // Each step can be had again by its own seed.
    const seed = (parameters.seed + done) % 2 ** 31;
    const count = Math.min(STEP, parameters.numRuns - done);
    answered += (await fuzz(seed, count)).answered;
    console.log(
      `${done + count} inputs, ${answered} answered, last seed ${seed}, ${Math.round(process.memoryUsage().rss / 1e6)} MB`,
    );
  }
  expect(answered / parameters.numRuns).toBeGreaterThan(0.2);
});
