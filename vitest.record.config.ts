import { defineConfig } from 'vitest/config';

/** No tests: writes the fixtures anew. */
export default defineConfig({
  test: {
    include: ['test/fixtures/record.ts'],
    testTimeout: 120_000,
  },
});
