import { defineConfig } from 'vitest/config';

/** No tests: writes the fixtures anew. */
export default defineConfig({
  test: {
    include: ['test/fixtures/record.ts', 'test/fixtures/record-2.ts'],
    globalSetup: 'test/conformance/tools.ts',
    testTimeout: 120_000,
    // One client at a time, so that none is late.
    fileParallelism: false,
  },
});
