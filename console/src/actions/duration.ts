/** How long something is to last, as people write it: `90s`, `10m`, `2h`, `7d`. */

const UNITS = new Map([
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** What a field takes that is to be one. */
export const DURATION = '\\s*\\d{1,6}\\s*[smhd]\\s*';

/** In milliseconds; undefined: it is none. */
export function durationIn(text: string): number | undefined {
  const [, count = '', unit = ''] = /^\s*(\d{1,6})\s*([smhd])\s*$/.exec(text) ?? [];
  const size = UNITS.get(unit);
  return size === undefined ? undefined : Number(count) * size;
}
