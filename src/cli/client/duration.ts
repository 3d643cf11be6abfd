/** Times as Go writes them, and so the probes and deployments that name them: `1s`, `250ms`, `1m30s`, `1.5h`. */

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;
/** The longest that Go knows. */
const MOST_MS = 2 ** 63 / 1e6;
/** Node's timers know no longer ones, which are 24 days: what is meant to be longer means for ever. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** In milliseconds, at least 1, and no more than can be waited for. Undefined for what is none. */
export function durationMs(said: string): number | undefined {
  const text = said.replace(/^\+/, '');
  let ms = 0;
  let read = 0;
  for (const [part, count, unit] of text.matchAll(PART)) {
    ms += Number(count) * (UNITS[unit ?? ''] ?? Number.NaN);
    read += part.length;
  }
  if (text === '' || read !== text.length || !(ms > 0) || ms > MOST_MS) return undefined;
  return Math.min(LONGEST_TIMER_MS, Math.max(1, Math.round(ms)));
}

/** How long something is, or has been, in the two largest units: `3d 4h`, `12m 5s`, `7s`. */
export function inWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return '0s';
  const said = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return said.map(([count, unit]) => `${count}${unit}`).join(' ');
}

/** How long ago, or in how long, in the largest unit: `just now`, `4 minutes ago`, `in 2 hours`. */
export function awayInWords(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1_000);
  const [unit, size] = LARGEST.find(([, least]) => seconds >= least) ?? ['second', 1];
  const count = Math.floor(seconds / size);
  if (count === 0) return 'just now';
  const said = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return ms >= 0 ? `${said} ago` : `in ${said}`;
}

const LARGEST: readonly (readonly [unit: string, seconds: number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];
