import type { EventLine } from './api.ts';
import type { Happened } from './sources.ts';

/** How connections end, and what goes with them. */

/** Of a connection that held instances: one for each service, and one for all of these where they are several. */
export function isEnd({ cause, kind, by }: Happened): boolean {
  return cause === 'connection-ended' && kind !== 'service' && by?.connection !== undefined;
}

/** Of the records of one connection one line: who it was, why it ended, how many went with it, and the first of them. */
export function endOf(lines: readonly EventLine[]): EventLine | undefined {
  const whole = lines.find(({ kind }) => kind === 'registry');
  const each = lines.filter(({ kind }) => kind === 'instance');
  const line = whole ?? each[0];
  if (line === undefined) return undefined;
  const instances = each.flatMap((one) => one.instances ?? []);
  const count = whole?.count ?? each.reduce((sum, one) => sum + howMany(one), 0);
  const said = { ...line, count, instances: instances.slice(0, MOST_NAMED) };
  if (each.length <= 1 && whole === undefined) return said;
  // Of several services none is the one, and its counts are not theirs.
  const { namespace: _, group: __, service: ___, counts: ____, ...rest } = said;
  return { ...rest, kind: 'registry' };
}

/** With no more than the first of those that it names, and how many these are. */
export function briefly(line: EventLine): EventLine {
  const { instances } = line;
  if (instances === undefined || instances.length <= MOST_NAMED) return line;
  return { ...line, count: howMany(line), instances: instances.slice(0, MOST_NAMED) };
}

function howMany({ count, instances = [] }: EventLine): number {
  return count ?? instances.length;
}

const MOST_NAMED = 20;
