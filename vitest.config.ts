import { defineConfig } from 'vitest/config';

/** What starts processes, or looks at all that its own process has: each file in a process of its own. */
const ALONE = [
  'test/*.test.ts',
  'test/{cli,store}/**/*.test.ts',
  'test/events/restarts.test.ts',
  'test/events/webhooks/served.test.ts',
  'test/probe/checks-{mysql,noise,reach}.test.ts',
  'test/wire/listener.test.ts',
];
/** What needs a browser, and has it to itself. */
const IN_A_BROWSER = ['test/console/browser/**/*.test.ts'];
const NEVER = ['test/conformance/**', 'test/long/**'];

export default defineConfig({
  test: {
    // Tests run beside each other in one directory: whichever is to keep something says where. And none waits for callers to go elsewhere.
    env: { BEATBRIDGE_DATA_DIR: 'none', BEATBRIDGE_DRAIN_DELAY: '0' },
    // What they wait for are events. How long these take is the machine's affair, and it may be a slow one with much else to do.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    // A worker for each core: most of them wait for processes that they started.
    maxWorkers: '100%',
    projects: [
      { extends: true, test: { name: 'alone', include: ALONE, exclude: NEVER } },
      { extends: true, test: { name: 'browser', include: IN_A_BROWSER, globalSetup: 'test/console/browser/chromium.ts' } },
      // One file after another in the same process: to load what a server is made of is much of what a file costs, and is done once.
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/*/**/*.test.ts'],
          exclude: [...NEVER, ...ALONE, ...IN_A_BROWSER],
          isolate: false,
        },
      },
    ],
  },
});
