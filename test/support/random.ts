/** How often a random test runs, from which seed, and for how long it may. */
export interface RandomRuns {
  /** What `fc.assert` and `fc.sample` take. */
  readonly parameters: { readonly numRuns: number; readonly seed: number; readonly path?: string; readonly endOnFailure?: true };
  /** For the end of the test's title: with it, the very same runs can be had again. */
  readonly title: string;
  /** More than a slow machine needs; it grows with the runs. */
  readonly timeoutMs: number;
}

const A_LONG_TIME_MS = 120_000;

/**
 * The runs of one random test: `runs` of them, from `seed`, or from another one each time when there is none. To have them again, or
 * more of them: `FC_SEED=… FC_RUNS=… npx vitest run FILE -t TITLE`; with `FC_PATH` as well, which fast-check names when it fails, the
 * one that failed and nothing else. `FC_TIMES` is for many files at once: that many times as often, as `npm run test:long` does it.
 */
export function randomRuns(runs: number, seed?: number): RandomRuns {
  const numRuns = numberIn('FC_RUNS') ?? runs * (numberIn('FC_TIMES') ?? 1);
  // Seeds of fast-check have 32 bits.
  const chosen = numberIn('FC_SEED') ?? seed ?? Math.trunc(Math.random() * 2 ** 31);
  const path = process.env.FC_PATH ?? '';
  return {
    parameters: { numRuns, seed: chosen, ...(path !== '' && { path, endOnFailure: true as const }) },
    title: `(FC_SEED=${chosen} FC_RUNS=${numRuns})`,
    timeoutMs: A_LONG_TIME_MS * Math.max(1, numRuns / runs),
  };
}

function numberIn(variable: string): number | undefined {
  const text = process.env[variable] ?? '';
  if (text === '') return undefined;
  if (!/^-?\d{1,10}$/.test(text)) throw new Error(`${variable} must be a whole number, got ${JSON.stringify(text)}`);
  return Number(text);
}
