import type { Delta, Keyed, Snapshot } from '../../src/console/api.ts';

type Known = Pick<Snapshot, 'facts' | 'rows'>;

/** What is on the screen after a change: rows that have not changed stay the same objects. */
export function applied(before: Known | undefined, delta: Delta): Known {
  const kept = delta.whole === true ? undefined : before;
  // A view begins as a whole: what is built up from it is one, too.
  const facts = delta.facts === undefined && kept ? kept.facts : ({ ...kept?.facts, ...delta.facts } as Known['facts']);
  return { facts, rows: rowsAfter(kept?.rows ?? [], delta) };
}

function rowsAfter(before: Known['rows'], { rows = [], order }: Delta): Known['rows'] {
  if (rows.length === 0 && order === undefined) return before;
  const byKey = new Map<string, Known['rows'][number] & Keyed>();
  for (const row of before) byKey.set(row.key, row);
  for (const row of rows) byKey.set(row.key, row);
  return (order ?? [...byKey.keys()]).flatMap((key) => byKey.get(key) ?? []);
}
