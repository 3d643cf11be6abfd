import { defineConfig } from 'vitest/config';

/** What needs the whole machine, and asserts times of a real clock: never beside anything else, and no part of `npm test`. */
export default defineConfig({
  test: {
    // Tests run beside each other in one directory: whichever is to keep something says where. And none waits for callers to go elsewhere.
    env: { BEATBRIDGE_DATA_DIR: 'none', BEATBRIDGE_DRAIN_DELAY: '0' },
    fileParallelism: false,
    // Figures are printed as they are.
    disableConsoleIntercept: true,
    projects: [
      { extends: true, test: { name: 'long', include: ['test/long/**/*.test.ts'] } },
      // Random tests of `npm test` that can use more runs than it has time for.
      {
        extends: true,
        test: {
          name: 'more runs',
          include: ['test/wire/http2/{fuzz,model}.test.ts', 'test/nacos/{http,grpc}/fuzz.test.ts'],
          env: { FC_TIMES: '20' },
        },
      },
    ],
  },
});
