import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { liveThroughRestarts } from '../support/live-traffic.ts';

const dir = mkdtempSync(join(tmpdir(), 'beatbridge-restart-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('nobody who looks at 1,000 beating instances notices a restart, orderly or not', { timeout: 120_000 }, async () => {
  const counts = await liveThroughRestarts(dir, ['SIGTERM', 'SIGKILL'], {
    instances: 1_000,
    services: 20,
    beatIntervalMs: 2_000,
    patienceMs: 8_000,
  });
  // Each Watch was told before, and once after each restart.
  expect(counts.watched).toBeGreaterThanOrEqual(20 * 3);
  expect(counts.checks).toBeGreaterThan(0);
  expect(counts.lists).toBeGreaterThan(0);
});
