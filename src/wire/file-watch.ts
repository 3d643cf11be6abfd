import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Cancel, Scheduler } from './scheduler.ts';

/**
 * Tells when files may have changed, however: written in place, renamed over, or behind a symbolic link that was put elsewhere, as
 * Kubernetes does with the folder of a secret. It watches their folders, and as no file system tells of everything (a network's tells of
 * nothing), it is time to look every minute too. What has changed, if anything, whoever is told finds out by reading.
 */
export function watchFiles(paths: readonly string[], scheduler: Pick<Scheduler, 'after' | 'every'>, changed: () => void): Cancel {
  const folders = new Set(paths.map((path) => dirname(path)));
  let watchers: FSWatcher[] = [];
  let settle: Cancel | undefined;
  const soon = () => {
    // Once for all that changes together; and in a folder that never rests no later than that.
    settle ??= scheduler.after(SETTLE_MS, () => {
      settle = undefined;
      changed();
    });
  };
  const unwatch = () => {
    for (const each of watchers) each.close();
    watchers = [];
  };
  const rewatch = () => {
    unwatch();
    for (const folder of folders) {
      try {
        const watcher = watch(folder, { persistent: false }, soon);
        watcher.on('error', ignore);
        watchers.push(watcher);
      } catch {
        // It is gone for now, or the system watches no more: the next minute looks all the same.
      }
    }
  };
  rewatch();
  const stop = scheduler.every(LOOK_EVERY_MS, () => {
    // A folder that was made anew is another one.
    rewatch();
    changed();
  });
  return () => {
    stop();
    settle?.();
    unwatch();
  };
}

function ignore(): void {}

export const SETTLE_MS = 200;
export const LOOK_EVERY_MS = 60_000;
