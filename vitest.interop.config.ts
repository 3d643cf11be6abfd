import { defineConfig } from 'vitest/config';

/** Real clients against a real process. Slow by nature: they beat, time out and reconnect at their own pace. */
export default defineConfig({
  test: {
    // Tests run beside each other in one directory: whichever is to keep something says where.
    env: { BEATBRIDGE_DATA_DIR: 'none' },
    include: ['test/conformance/**/*.test.ts'],
    globalSetup: 'test/conformance/tools.ts',
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
