import { afterAll, beforeAll, expect } from 'vitest';
import { manualSchedulers } from './scheduler.ts';

/** For how long what has been closed may take to be gone. */
const GONE_WITHIN_MS = 2_000;

/**
 * Fails the test file that calls it, at its top, when a connection or a port of this process is left open at its end, or a timer of a
 * `ManualScheduler`.
 */
export function failOnLeaks(): void {
  // Files that ran before in this process answer for their own.
  manualSchedulers.length = 0;
  let before: Record<string, number> = {};
  beforeAll(() => {
    before = open();
  });
  // Hooks of the end run in reverse order: this one last.
  afterAll(async () => {
    // What the last tests ended may have yet to say so.
    await new Promise((resolve) => setImmediate(resolve));
    const started = performance.now();
    while (performance.now() - started < GONE_WITHIN_MS && !isWithin(open(), before)) {
      // Handles of all kinds close in their own time, and no event tells of the last.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const left = open();
    expect(isWithin(left, before), `left open: ${JSON.stringify(left)}, before: ${JSON.stringify(before)}`).toBe(true);
    expect(
      manualSchedulers.map((scheduler) => scheduler.open),
      'timers left open',
    ).toEqual(manualSchedulers.map(() => 0));
  });
}

const KINDS = ['TCPSocketWrap', 'TCPServerWrap'] as const;

function open(): Record<string, number> {
  const names = process.getActiveResourcesInfo();
  return Object.fromEntries(KINDS.map((kind) => [kind, names.filter((name) => name === kind).length]));
}

function isWithin(now: Record<string, number>, before: Record<string, number>): boolean {
  return KINDS.every((kind) => (now[kind] ?? 0) <= (before[kind] ?? 0));
}
