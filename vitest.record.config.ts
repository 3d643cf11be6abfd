import { defineConfig } from 'vitest/config';

/** No tests: writes the fixtures anew. */
export default defineConfig({
  test: {
    // Tests run beside each other in one directory: whichever is to keep something says where. And none waits for callers to go elsewhere.
    env: { BEATBRIDGE_DATA_DIR: 'none', BEATBRIDGE_DRAIN_DELAY: '0' },
    include: [
      'test/fixtures/record.ts',
      'test/fixtures/record-2.ts',
      'test/fixtures/record-moving.ts',
      'test/fixtures/record-browsers.ts',
    ],
    globalSetup: 'test/conformance/tools.ts',
    testTimeout: 120_000,
    // One client at a time, so that none is late.
    fileParallelism: false,
  },
});
