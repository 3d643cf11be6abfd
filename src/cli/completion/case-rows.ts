import type { CommandNode, Value } from './command-tree.ts';

/** Rows of a `case` of `"PATH FLAG"` or `"PATH NUMBER"`, as bash and zsh both have it: which patterns, and what is said then. */
export interface CaseRow {
  readonly patterns: readonly string[];
  readonly said: string;
}

/** Whether a flag needs its value, which kind of thing that is, and its words. Flags of which the same is said share a row. */
export function valueRows(nodes: readonly CommandNode[]): readonly CaseRow[] {
  const rows = new Map<string, string[]>();
  for (const { path, flags } of nodes)
    for (const { names, value, isOptional } of flags) {
      if (value === undefined) continue;
      const said = `${isOptional ? 'optional' : 'needed'} ${kindAndWords(value)}`;
      rows.set(said, [...(rows.get(said) ?? []), ...names.map((name) => `'${path} ${name}'`)]);
    }
  return [...rows].map(([said, patterns]) => ({ said, patterns }));
}

/** What stands in which place, from 0; of what may be repeated, in any from there on. */
export function operandRows(nodes: readonly CommandNode[]): readonly CaseRow[] {
  return nodes.flatMap(({ path, operands }) =>
    operands.map(({ value, isRepeated }, i) => ({
      patterns: [`'${path} '${isRepeated ? '*' : i}`],
      said: kindAndWords(value),
    })),
  );
}

function kindAndWords(value: Value): string {
  return value.kind === 'words' ? `words ${value.words.join(' ')}` : value.kind;
}
