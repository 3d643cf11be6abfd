import { useEffect, useRef, useState } from 'preact/hooks';
import { absolute } from '../clock.tsx';
import { number } from '../words.ts';

export interface Series {
  readonly label: string;
  /** Of the theme. */
  readonly colour: 'accent' | 'good' | 'bad' | 'warn' | 'muted';
  /** Told apart by more than its colour. */
  readonly isDashed?: boolean;
}

interface Props {
  /** What it shows, in words: for who cannot see it. */
  readonly label: string;
  /** Each point: when, and a value for each series. The oldest first. */
  readonly points: readonly (readonly number[])[];
  readonly series: readonly Series[];
  readonly heightPx?: number;
}

const LEFT = 44;
const BOTTOM = 20;
const TOP = 6;
/** So far apart at least, for their words to fit. */
const TICK_PX = 110;

/** Values over time: `<Plot label points={facts.beats.points} series={[{ label: t('received'), colour: 'accent' }, …]} />`. */
export function Plot({ label, points, series, heightPx = 160 }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [pointed, point] = useState<number>();
  useEffect(() => {
    if (place.current === null) return;
    const resized = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    resized.observe(place.current);
    return () => resized.disconnect();
  }, []);
  const [begin = 0] = points[0] ?? [];
  const [end = begin] = points.at(-1) ?? [];
  const most = niceMost(Math.max(1, ...points.flatMap((one) => one.slice(1))));
  const x = (at: number) => LEFT + ((at - begin) / Math.max(1, end - begin)) * (width - LEFT - 2);
  const y = (value: number) => TOP + (1 - value / most) * (heightPx - TOP - BOTTOM);
  const nearest =
    pointed === undefined ? undefined : points[Math.round(((pointed - LEFT) / (width - LEFT - 2)) * (points.length - 1))];
  const shown = nearest ?? points.at(-1);
  const ticks = Math.max(1, Math.floor((width - LEFT) / TICK_PX));
  return (
    <div ref={place} class="plot">
      <svg
        role="img"
        aria-label={label}
        width={width}
        height={heightPx}
        onPointerMove={({ offsetX }) => point(offsetX)}
        onPointerLeave={() => point(undefined)}
      >
        {[0, 0.5, 1].map((part) => (
          <g key={part}>
            <path class="grid" d={`M${LEFT} ${y(most * part)}H${width}`} />
            <text x={LEFT - 8} y={y(most * part) + 4} text-anchor="end">
              {number(most * part)}
            </text>
          </g>
        ))}
        {points.length > 1 &&
          Array.from({ length: ticks }, (_, index) => begin + ((index + 0.5) / ticks) * (end - begin)).map((at, index) => (
            <text key={index} x={x(at)} y={heightPx - 4} text-anchor="middle">
              {absolute(at)}
            </text>
          ))}
        {series.map(({ label: name, colour, isDashed }, index) => (
          <path
            key={name}
            class={isDashed ? 'line dashed' : 'line'}
            style={{ stroke: `var(--${colour})` }}
            d={points
              .map((one, nth) => `${nth === 0 ? 'M' : 'L'}${x(one[0] ?? 0).toFixed(1)} ${y(one[index + 1] ?? 0).toFixed(1)}`)
              .join('')}
          />
        ))}
        {nearest !== undefined && <path class="grid" d={`M${x(nearest[0] ?? 0)} ${TOP}V${heightPx - BOTTOM}`} />}
      </svg>
      <p class="legend">
        {series.map(({ label: name, colour, isDashed }, index) => (
          <span key={name}>
            <svg width="18" height="8" aria-hidden="true">
              <path class={isDashed ? 'line dashed' : 'line'} style={{ stroke: `var(--${colour})` }} d="M0 4H18" />
            </svg>{' '}
            {name} {shown && <b>{number(shown[index + 1] ?? 0)}</b>}
          </span>
        ))}
        {nearest !== undefined && <span>{absolute(nearest[0] ?? 0)}</span>}
      </p>
    </div>
  );
}

/** A round figure above the highest. */
function niceMost(highest: number): number {
  const size = 10 ** Math.floor(Math.log10(highest));
  return [1, 2, 4, 6, 8, 10].map((times) => times * size).find((one) => one >= highest) ?? highest;
}
