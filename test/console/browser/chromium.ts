import { CHROMIUM } from '../../support/chromium.ts';

/** Before the tests that need a browser: says once that they are skipped where there is none. With INTEROP=all none may be missing. */
export function setup(): void {
  if (CHROMIUM !== undefined) return;
  const says = 'no chromium, chromium-browser or google-chrome on PATH, and no CHROMIUM that says where one is';
  if (process.env.INTEROP === 'all') throw new Error(says);
  console.log(`\nskipped, the tests of the console in a browser: ${says}\n`);
}
