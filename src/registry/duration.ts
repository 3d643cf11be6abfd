/** `500ms`, `5s`, `2m`, `1h`, or a bare number of milliseconds, in milliseconds; undefined for anything else, and for more than a day. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = 'ms'] = /^\s*(\d{1,8})\s*(ms|s|m|h)?\s*$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  const ms = Number(number) * (UNITS.get(unit) ?? Number.NaN);
  return ms <= A_DAY_MS ? ms : undefined;
}

/** How a duration is written, for whoever is told that his is none. */
export const DURATION_FORM = '500ms, 5s, 2m or 1h';

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
]);
const A_DAY_MS = 86_400_000;
