import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crashRounds } from './crash-rounds.ts';
import { randomRuns } from './random.ts';

/** Of util-linux: it makes a disk full for one process, and gives it space again, without being root. */
export const HAS_PRLIMIT = (process.env.PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, 'prlimit')));

/** The same for the unit tests and, with more rounds, for the interop suite. */
export function describeCrashes(rounds: number, roundsWhileFull: number, writers: number): void {
  const survive = async (title: ReturnType<typeof randomRuns>, full: boolean) => {
    const dir = mkdtempSync(join(tmpdir(), 'beatbridge-crash-'));
    const { numRuns, seed } = title.parameters;
    const acknowledged = await crashRounds(dir, { rounds: numRuns, seed, writers, full });
    rmSync(dir, { recursive: true });
    // It has been under load.
    expect(acknowledged).toBeGreaterThan(numRuns * 10);
  };

  describe('killed at any moment, it has lost nothing that was acknowledged, and a Watch is told what was true', () => {
    const killed = randomRuns(rounds);
    it(`in ${rounds} rounds ${killed.title}`, { timeout: killed.timeoutMs * (10 + rounds / 20) }, () => survive(killed, false));

    const full = randomRuns(roundsWhileFull);
    // Nothing but prlimit makes a disk full for one process.
    it.skipIf(!HAS_PRLIMIT)(
      `in ${roundsWhileFull} rounds in which the disk is full now and then ${full.title}`,
      { timeout: full.timeoutMs * (10 + rounds / 20) },
      () => survive(full, true),
    );
  });
}
