import { now } from '../clock.tsx';
import { number, words } from '../words.ts';

const t = words({
  en: {
    label: 'Heartbeats over time. Last intervals: {intervals}. {gaps} longer than usual.',
    last: 'Last {n} {n:interval|intervals}',
    seconds: '{n} s',
    longest: 'longest {n} s',
    beat: 'heartbeat',
    gap: 'longer than usual',
    now: 'now',
    unhealthy: 'unhealthy from here',
    removed: 'removed from here',
    none: 'No interval yet: they are noted since somebody looks at this page.',
  },
  'zh-CN': {
    label: '心跳时间线。最近的间隔：{intervals}。超长间隔 {gaps} 次。',
    last: '最近 {n} 次间隔',
    seconds: '{n} 秒',
    longest: '最长 {n} 秒',
    beat: '心跳',
    gap: '间隔过长',
    now: '现在',
    unhealthy: '此后不健康',
    removed: '此后移除',
    none: '尚无间隔：从有人打开此页起开始记录。',
  },
});

interface Props {
  /** When it was heard, the oldest first. */
  readonly beats: readonly number[];
  readonly intervalMs: number | undefined;
  readonly unhealthyAfterMs: number;
  readonly removedAfterMs: number;
}

const WIDTH = 1_000;
const HEIGHT = 44;
const SHOWN = 10;
const MOST_TIMES = 4;
/** Of the usual interval: what is longer is a gap. */
const GAP = 1.5;

/** Heartbeats as they came, and how far it is to being unhealthy and gone: `<Beats beats={facts.beats} … />`. */
export function Beats(props: Props) {
  const { beats } = props;
  const intervals = beats.slice(1).map((at, index) => at - (beats[index] ?? at));
  const last = intervals.slice(-SHOWN);
  const says = last.map((ms) => number(seconds(ms)));
  const usual = props.intervalMs ?? median(intervals);
  const gaps = beats.slice(1).filter((at, index) => usual !== undefined && at - (beats[index] ?? at) > usual * GAP);
  return (
    <figure class="beats">
      <Line {...props} usualMs={usual} label={t('label', { intervals: says.join(', '), gaps: gaps.length })} />
      <figcaption class="legend">
        <Key class="beat" says={t('beat')} />
        <Key class="gap" says={t('gap')} />
        <Key class="now" says={t('now')} />
        <Key class="unhealthy" says={t('unhealthy')} />
        <Key class="removed" says={t('removed')} />
      </figcaption>
      <p>
        {last.length === 0 ? (
          <small>{t('none')}</small>
        ) : (
          <>
            <small>{t('last', { n: last.length })}</small> {t('seconds', { n: says.join(' · ') })}{' '}
            <small>{t('longest', { n: seconds(Math.max(...intervals)) })}</small>
          </>
        )}
      </p>
    </figure>
  );
}

function Key({ class: name, says }: { readonly class: string; readonly says: string }) {
  return (
    <span>
      <svg class={name} width="18" height="12" aria-hidden="true">
        {name === 'gap' ? <rect y="2" width="18" height="8" /> : <path d="M9 0V12" />}
      </svg>{' '}
      {says}
    </span>
  );
}

/** Drawn each second, as time passes under it. */
function Line({
  beats,
  unhealthyAfterMs,
  removedAfterMs,
  usualMs,
  label,
}: Props & { readonly usualMs: number | undefined; readonly label: string }) {
  const last = beats.at(-1) ?? 0;
  // As much as is known, so that it is seen well, and no more than can be told apart.
  const knownMs = now.value - (beats[0] ?? 0);
  const begin = now.value - Math.min(Math.max(removedAfterMs, knownMs), MOST_TIMES * removedAfterMs);
  const end = now.value + removedAfterMs * 1.05;
  const x = (at: number) => ((at - begin) / (end - begin)) * WIDTH;
  const line = (at: number, top = 0) => `M${x(at).toFixed(1)} ${top}V${HEIGHT}`;
  const shown = beats.filter((at) => at >= begin);
  const ends = [...beats.slice(1), now.value];
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {usualMs !== undefined &&
        beats.map((at, index) => {
          const until = ends[index] ?? at;
          const from = Math.max(begin, at);
          if (until - at <= usualMs * GAP || until <= begin) return null;
          return <rect key={at} class="gap" x={x(from)} y="8" width={x(until) - x(from)} height={HEIGHT - 8} />;
        })}
      <path class="base" d={`M0 ${HEIGHT}H${WIDTH}`} />
      <path class="beat" d={shown.map((at) => line(at, 12)).join('')} />
      <path class="unhealthy" d={line(last + unhealthyAfterMs)} />
      <path class="removed" d={line(last + removedAfterMs)} />
      <path class="now" d={line(now.value)} />
    </svg>
  );
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
