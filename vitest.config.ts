import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Tests run beside each other in one directory: whichever is to keep something says where. And none waits for callers to go elsewhere.
    env: { BEATBRIDGE_DATA_DIR: 'none', BEATBRIDGE_DRAIN_DELAY: '0' },
    include: ['test/**/*.test.ts'],
    exclude: ['test/conformance/**', 'test/long/**'],
  },
});
