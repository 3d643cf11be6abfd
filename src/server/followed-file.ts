import { stat } from 'node:fs/promises';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';

/**
 * Calls `changed` when the file is another one, or none any more. It is looked at, not watched: what Kubernetes does to a mounted file, and
 * editors to any, is done to folders and links, of which watching tells little. `changed` is not called again before it has ended.
 */
export async function followFile(
  path: string,
  scheduler: Pick<Scheduler, 'every'>,
  changed: () => Promise<void>,
): Promise<Cancel> {
  let seen = await stampOf(path);
  let isBusy = false;
  return scheduler.every(LOOK_EVERY_MS, () => void look());

  async function look(): Promise<void> {
    if (isBusy) return;
    isBusy = true;
    try {
      const stamp = await stampOf(path);
      if (stamp === seen) return;
      seen = stamp;
      await changed();
    } finally {
      isBusy = false;
    }
  }
}

export const LOOK_EVERY_MS = 2_000;

/** What is another with each change; "" where there is no such file. */
async function stampOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch {
    return '';
  }
}
