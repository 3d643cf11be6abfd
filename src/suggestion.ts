/** No name that is known is as long. */
const MAX_LENGTH = 100;
/** Letters that say enough to be the beginning of a name. */
const LEAST_BEGUN = 4;

/** `, did you mean port?`, when one of `known` is close enough, or alone begins like that; "" else. */
export function suggestion(name: string, known: readonly string[]): string {
  const letters = lettersOf(name.slice(0, MAX_LENGTH));
  const [nearest] = known
    .map((candidate) => ({ candidate, edits: editsBetween(letters, lettersOf(candidate)) }))
    .sort((a, b) => a.edits - b.edits);
  if (nearest !== undefined && nearest.edits <= letters.length / 3) return `, did you mean ${nearest.candidate}?`;
  // A unit that was left out: tokenTtl is tokenTtlSeconds.
  const [longer, ...others] = letters.length < LEAST_BEGUN ? [] : known.filter((one) => lettersOf(one).startsWith(letters));
  return longer !== undefined && others.length === 0 ? `, did you mean ${longer}?` : '';
}

/** However a name is spelled: grpcPort, --grpc-port, BEATBRIDGE_GRPC_PORT. */
function lettersOf(name: string): string {
  return name
    .replace(/^BEATBRIDGE_/, '')
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .toLowerCase();
}

/** Letters added, left out, changed, or swapped with the next one. */
function editsBetween(a: string, b: string): number {
  const at = (line: readonly number[], column: number) => line[column] ?? Number.POSITIVE_INFINITY;
  let before: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwapped ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(at(last, j) + 1, at(row, j - 1) + 1, changed, swapped));
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? a.length;
}
