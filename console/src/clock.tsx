import { computed, signal } from '@preact/signals';
import { offsetMs } from './session.ts';
import { language, remember, remembered, words } from './words.ts';

/** Times as people read them: how long ago, ticking by the server's clock, while something on the screen shows it and somebody looks. */

const t = words({
  en: { ago: '{span} ago', in: 'in {span}', now: 'now', s: '{n} s', min: '{n} min', h: '{n} h', d: '{n} d' },
  'zh-CN': { ago: '{span}前', in: '{span}后', now: '刚刚', s: '{n} 秒', min: '{n} 分钟', h: '{n} 小时', d: '{n} 天' },
});

let ticking: ReturnType<typeof setInterval> | undefined;
const tick = signal(Date.now(), {
  watched() {
    document.addEventListener('visibilitychange', turn);
    turn();
  },
  unwatched() {
    document.removeEventListener('visibilitychange', turn);
    clearInterval(ticking);
  },
});

function turn(): void {
  clearInterval(ticking);
  if (document.hidden) return;
  tick.value = Date.now();
  ticking = setInterval(() => {
    tick.value = Date.now();
  }, 1_000);
}

/** The time by the server's clock. Whoever reads it in a component is drawn again each second. */
export const now = computed(() => tick.value + offsetMs.value);

const KEPT_AS = 'beatbridge.times';
export const isAbsolute = signal(remembered(KEPT_AS) === 'absolute');

export function setAbsolute(to: boolean): void {
  isAbsolute.value = to;
  remember(KEPT_AS, to ? 'absolute' : 'relative');
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** So long, in one unit that says enough: `3 min`. */
export function span(ms: number): string {
  const [unit, size] = UNITS.find(([, least]) => Math.abs(ms) >= least) ?? (['s', 1_000] as const);
  return t(unit, { n: Math.floor(Math.abs(ms) / size) });
}

/** `3 min ago`, or `in 12 s`. */
export function since(atMs: number, nowMs = now.value): string {
  const ms = nowMs - atMs;
  if (Math.abs(ms) < 1_000) return t('now');
  return t(ms > 0 ? 'ago' : 'in', { span: span(ms) });
}

const local = computed(() => new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'medium' }));
const short = computed(
  () => new Intl.DateTimeFormat(language.value, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }),
);

/** By the clock on the wall here; of today without the day. */
export function absolute(atMs: number): string {
  const at = new Date(atMs);
  return (at.toDateString() === new Date().toDateString() ? short : local).value.format(at);
}

/** Both times in full, for whoever points at one. */
export function inFull(atMs: number): string {
  return `${local.value.format(atMs)}\n${new Date(atMs).toISOString()}`;
}

type At = { readonly at: number | string };

function msOf(at: number | string): number {
  return typeof at === 'number' ? at : Date.parse(at);
}

/** A time that was, or will be: `<Ago at={row.since} />`. Takes milliseconds, or ISO 8601. */
export function Ago({ at }: At) {
  const ms = msOf(at);
  return (
    <time dateTime={new Date(ms).toISOString()} title={inFull(ms)}>
      {isAbsolute.value ? absolute(ms) : since(ms)}
    </time>
  );
}

/** What is left until then, to the second whatever a person has chosen: `<Countdown to={row.unhealthyAt} />`. */
export function Countdown({ to }: { readonly to: number }) {
  const left = Math.max(0, to - now.value);
  return (
    <time class="count" dateTime={new Date(to).toISOString()} title={inFull(to)}>
      {left < 60_000 ? t('s', { n: Math.ceil(left / 1_000) }) : span(left)}
    </time>
  );
}
