/**
 * How many runs a random test makes, and from which seed. fast-check prints the seed of a failure; a run is repeated, or made longer,
 * with `FC_SEED=-1272184703 FC_RUNS=1000000 npx vitest run test/registry/registry.property.test.ts`.
 */
export function runs(numRuns: number): { readonly numRuns: number; readonly seed?: number } {
  const { FC_SEED, FC_RUNS } = process.env;
  return { numRuns: FC_RUNS === undefined ? numRuns : Number(FC_RUNS), ...(FC_SEED !== undefined && { seed: Number(FC_SEED) }) };
}
