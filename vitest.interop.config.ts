import { defineConfig } from 'vitest/config';

/** Real clients against a real process. Slow by nature: they beat, time out and reconnect at their own pace. */
export default defineConfig({
  test: {
    // Tests run beside each other in one directory: whichever is to keep something says where. And none waits for callers to go elsewhere.
    env: { BEATBRIDGE_DATA_DIR: 'none', BEATBRIDGE_DRAIN_DELAY: '0' },
    include: ['test/conformance/**/*.test.ts'],
    globalSetup: 'test/conformance/tools.ts',
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
