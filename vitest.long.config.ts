import { defineConfig } from 'vitest/config';

/** What needs the whole machine, and asserts times of a real clock: never beside anything else, and no part of `npm test`. */
export default defineConfig({
  test: {
    // Tests run beside each other in one directory: whichever is to keep something says where. And none waits for callers to go elsewhere.
    env: { BEATBRIDGE_DATA_DIR: 'none', BEATBRIDGE_DRAIN_DELAY: '0' },
    include: ['test/long/**/*.test.ts'],
    fileParallelism: false,
    // Figures are printed as they are.
    disableConsoleIntercept: true,
  },
});
