import type { Shown } from './looks.ts';

/** What one page has on its screen, and what it is to be told so that it has what there is. */
export class Screen {
  readonly #onlyAtFirst: ReadonlySet<string>;
  #shown: Shown | undefined;

  /** `onlyAtFirst`: facts of which it is told nothing more. */
  constructor(onlyAtFirst: ReadonlySet<string> = new Set()) {
    this.#onlyAtFirst = onlyAtFirst;
  }

  /** The text of a `Delta`; undefined: it has all that. */
  deltaTo(shown: Shown): string | undefined {
    const before = this.#shown;
    this.#shown = shown;
    if (shown === before) return undefined;
    const changed = changedIn(before?.facts ?? NOTHING, shown.facts);
    const facts = before === undefined ? changed : changed.filter(([name]) => !this.#onlyAtFirst.has(name));
    for (const name of before?.facts.keys() ?? []) if (!shown.facts.has(name)) facts.push([name, 'null']);
    const rows = changedIn(before?.rows ?? NOTHING, shown.rows).map(([, json]) => json);
    const order = before !== undefined && haveSameOrder(before.rows, shown.rows) ? undefined : [...shown.rows.keys()];
    const parts = [
      ...(before === undefined ? ['"whole":true'] : []),
      ...(facts.length > 0 ? [`"facts":{${facts.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`] : []),
      ...(rows.length > 0 ? [`"rows":[${rows.join(',')}]`] : []),
      ...(before?.notServing === shown.notServing ? [] : [`"notServing":${shown.notServing}`]),
      ...(order !== undefined ? [`"order":${JSON.stringify(order)}`] : []),
    ];
    return parts.length === 0 ? undefined : `{${parts.join(',')}}`;
  }
}

/** The text of a `Snapshot`. */
export function snapshotOf({ facts, rows, seq }: Shown): string {
  const named = [...facts].map(([name, json]) => `${JSON.stringify(name)}:${json}`);
  return `{"facts":{${named.join(',')}},"rows":[${[...rows.values()].join(',')}],"seq":${seq}}`;
}

const NOTHING: ReadonlyMap<string, string> = new Map();

function changedIn(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): [string, string][] {
  return [...now].filter(([name, json]) => before.get(name) !== json);
}

function haveSameOrder(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): boolean {
  if (before.size !== now.size) return false;
  const keys = before.keys();
  for (const key of now.keys()) if (keys.next().value !== key) return false;
  return true;
}
