import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Tests run beside each other in one directory: whichever is to keep something says where. And none waits for callers to go elsewhere.
    env: { BEATBRIDGE_DATA_DIR: 'none', BEATBRIDGE_DRAIN_DELAY: '0' },
    include: ['test/**/*.test.ts'],
    // What they wait for are events. How long these take is the machine's affair, and it may be a slow one with much else to do.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    exclude: ['test/conformance/**', 'test/long/**'],
    // A worker for each core: most of them wait for processes that they started.
    maxWorkers: '100%',
  },
});
