import { defineConfig } from 'vitest/config';

/** What needs the whole machine, and asserts times of a real clock: never beside anything else, and no part of `npm test`. */
export default defineConfig({
  test: {
    include: ['test/long/**/*.test.ts'],
    fileParallelism: false,
    // Figures are printed as they are.
    disableConsoleIntercept: true,
  },
});
