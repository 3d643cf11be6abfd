import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Tests run beside each other in one directory: whichever is to keep something says where.
    env: { BEATBRIDGE_DATA_DIR: 'none' },
    include: ['test/**/*.test.ts'],
    exclude: ['test/conformance/**', 'test/long/**'],
  },
});
