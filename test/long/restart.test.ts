import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { liveThroughRestarts } from '../support/live-traffic.ts';

const dir = mkdtempSync(join(tmpdir(), 'beatbridge-restart-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('nobody who looks at 10,000 beating instances notices a restart, nor that the process was stopped for 20 s', {
  timeout: 300_000,
}, async () => {
  const traffic = { instances: 10_000, services: 100, beatIntervalMs: 5_000, patienceMs: 15_000 };
  const counts = await liveThroughRestarts(dir, ['SIGTERM', 'SIGKILL'], traffic, 20_000);
  console.log(`under restarts, and 20 s of standing still: ${JSON.stringify(counts)}`);
  expect(counts.watched).toBeGreaterThanOrEqual(100 * 3);
});
