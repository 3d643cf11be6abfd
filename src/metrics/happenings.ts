import type { Happened } from './sources.ts';

/** How often what has happened, from the record of it. There are as many counts as causes, and transitions between them. */
export class Happenings {
  readonly events = new Map<string, number>();
  /** To how many instances. */
  readonly instances = new Map<string, number>();
  /** What services have become, and why: by `TO CAUSE`. */
  readonly transitions = new Map<string, number>();

  /** `causes`: all there are, as what has never happened has happened 0 times. */
  constructor(causes: readonly string[]) {
    for (const cause of causes) {
      this.events.set(cause, 0);
      this.instances.set(cause, 0);
    }
  }

  note({ kind, cause, count = 0, to }: Happened): void {
    add(this.events, cause, 1);
    if (kind === 'instance') add(this.instances, cause, count);
    if (kind === 'service' && to !== undefined) add(this.transitions, `${to} ${cause}`, 1);
  }
}

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
