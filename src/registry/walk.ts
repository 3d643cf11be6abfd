import type { Instance } from './instance.ts';
import type { Row } from './row.ts';
import type { Rows } from './rows.ts';
import type { Service } from './services.ts';

/**
 * The instances that a service has when it is called, to be looked at some at a time, in the order they came: each is seen as it is
 * when its turn comes. One that has gone by then is left out, whoever has got its id.
 */
export function walk(rows: Rows, service: Service, view: (id: number) => Instance): IterableIterator<Instance> {
  const ids: number[] = [];
  const there: Row[] = [];
  for (const id of rows.of(service)) {
    ids.push(id);
    there.push(rows.row(id));
  }
  return steps(rows, ids, there, view);
}

function* steps(
  rows: Rows,
  ids: readonly number[],
  there: readonly Row[],
  view: (id: number) => Instance,
): IterableIterator<Instance> {
  for (const [i, id] of ids.entries()) if (rows.has(id, there[i])) yield view(id);
}
