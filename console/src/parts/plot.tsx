import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { colour, theme } from '../theme.ts';
import { language } from '../words.ts';

export interface Series {
  readonly label: string;
  /** Of the theme: `good`, `bad`, `accent`, `muted`. */
  readonly colour: string;
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

/** Values over time: `<Plot label points={facts.beats.points} series={[{ label: t('received'), colour: 'good' }, …]} />`. */
export function Plot({ label, points, series, heightPx = 160 }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const drawn = useRef(points);
  drawn.current = points;
  const look = `${theme.value} ${language.value} ${series.map((one) => one.label).join()}`;
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new AbortController();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: heightPx }));
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const draw = async () => {
      const { default: UPlot } = await import('./uplot.ts');
      if (made.signal.aborted) return;
      plot.current?.destroy();
      const options = optionsOf(series, element.clientWidth, heightPx);
      plot.current = new UPlot(options, dataOf(drawn.current, series.length), element);
      resized.observe(element);
    };
    void draw();
    dark.addEventListener('change', () => void draw(), { signal: made.signal });
    return () => {
      made.abort();
      resized.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [look, heightPx]);
  useEffect(() => plot.current?.setData(dataOf(points, series.length)), [points, series.length]);
  return (
    <div class="plot" role="img" aria-label={label}>
      <div ref={place} style={{ minHeight: `${heightPx}px` }} />
    </div>
  );
}

function dataOf(points: Props['points'], count: number): uPlot.AlignedData {
  const column = (index: number) => points.map((point) => point[index] ?? null);
  return [points.map(([at = 0]) => at / 1_000), ...Array.from({ length: count }, (_, index) => column(index + 1))];
}

function optionsOf(series: readonly Series[], width: number, height: number): uPlot.Options {
  const axis = { stroke: colour('muted'), grid: { stroke: colour('line'), width: 1 }, ticks: { show: false } };
  return {
    width,
    height,
    padding: [8, 8, 0, 0],
    legend: { live: false },
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _least, most) => [0, Math.max(1, most * 1.1)] } },
    axes: [{ ...axis }, { ...axis, size: 44 }],
    series: [
      {},
      ...series.map(({ label, colour: name, isDashed }) => ({
        label,
        stroke: colour(name),
        width: 1.5,
        points: { show: false },
        ...(isDashed && { dash: [5, 4] }),
      })),
    ],
  };
}
