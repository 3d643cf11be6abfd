import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { FAMILIES } from '../../src/metrics/metrics.ts';
import { PROCESS } from '../../src/metrics/of-process.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');

/** The rows of the table under the heading. */
function rowsUnder(heading: string): string[] {
  const [, rest = ''] = text.split(`\n${heading}\n`, 2);
  return (rest.split('\n## ', 1)[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
}

const rowOf = (name: string, type: string, labels: readonly string[], help: string) =>
  `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`;

it('docs/metrics.md has every metric of the bridge, with its type, its labels and what it means, and no other', () => {
  expect(rowsUnder('## Of the bridge, its services and its callers')).toEqual(
    FAMILIES.map(({ name, type, labels, help }) => rowOf(name, type, labels, help)),
  );
});

it('the same of what is told of the process', async () => {
  const told = await PROCESS.read();
  const rows = rowsUnder('## Of the process').map((row) => row.split(' | ').map((cell) => cell.replace(/^\| |[`|]/g, '').trim()));
  expect(rows.map(([name, type, , help]) => [name, type, help])).toEqual(told.map(({ name, type, help }) => [name, type, help]));
  for (const { name, values } of told) {
    const labels = rows.find(([other]) => other === name)?.[2]?.split(', ') ?? [];
    for (const each of values) for (const label of Object.keys(each.labels)) expect([...labels, 'le']).toContain(label);
  }
});

it('no metric stands in two rows', () => {
  const names = FAMILIES.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

const EXAMPLES = join(import.meta.dirname, '../../examples/prometheus');

/** What an expression asks for: whatever is called like a metric. */
const metricsIn = (expr: string) => expr.match(/\b(beatbridge|grpc_server|nacos|nodejs|process)_\w+/g) ?? [];

/** Every string of that name, however deep. */
function* named(value: unknown, name: string): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    if (key === name && typeof each === 'string') yield each;
    yield* named(each, name);
  }
}

it.each(['rules.yaml', 'grafana-dashboard.json'])('every metric that examples/prometheus/%s asks for is told', async (file) => {
  const expressions = [...named(parse(readFileSync(join(EXAMPLES, file), 'utf8')), 'expr')];
  expect(expressions.length).toBeGreaterThan(8);
  const told = [...FAMILIES, ...(await PROCESS.read())].flatMap(({ name, type }) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  const asked = expressions.flatMap(metricsIn);
  // Each expression asks for some.
  expect(expressions.filter((expr) => metricsIn(expr).length === 0 && !expr.startsWith('up{'))).toEqual([]);
  expect(asked.filter((name) => !told.includes(name))).toEqual([]);
});

it('no two panels of the dashboard lie over each other', () => {
  const { panels } = JSON.parse(readFileSync(join(EXAMPLES, 'grafana-dashboard.json'), 'utf8')) as {
    readonly panels: readonly { readonly id: number; readonly gridPos: { x: number; y: number; w: number; h: number } }[];
  };
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
});
