import { computed } from '@preact/signals';
import type { ServiceRow, Status } from '../../../src/console/api.ts';
import { kindWords } from '../causes.ts';
import { absolute, now } from '../clock.tsx';
import { words } from '../words.ts';

const t = words({
  en: { hour: 'Last 60 minutes: {says}', nothing: 'nothing known', from: '{status} from {at}' },
  'zh-CN': { hour: '最近 60 分钟：{says}', nothing: '无记录', from: '{at} 起{status}' },
});

const HOUR_MS = 3_600_000;
const WIDTH = 120;
/** By height, too: what serves is full, what does not is half, and of what nobody knows there is nothing. */
const HEIGHTS: Readonly<Record<Status, number>> = { SERVING: 16, NOT_SERVING: 8, SERVICE_UNKNOWN: 2 };

const minute = computed(() => Math.ceil(now.value / 60_000) * 60_000);

/** The last hour of a service as a bar: `<Hour of={row.hour} />`. */
export function Hour({ of }: { readonly of: ServiceRow['hour'] }) {
  // To the minute: a row is not drawn again each second for that.
  const end = minute.value;
  const begin = end - HOUR_MS;
  const x = (at: number) => ((Math.max(begin, at) - begin) / HOUR_MS) * WIDTH;
  const says = of.map(([at, status]) => t('from', { at: absolute(Math.max(begin, at)), status: kindWords(status) }));
  const label = t('hour', { says: says.length === 0 ? t('nothing') : says.join(', ') });
  return (
    <svg class="hour" viewBox={`0 0 ${WIDTH} 16`} preserveAspectRatio="none" role="img" aria-label={label}>
      <title>{label}</title>
      <rect class="none" y="14" width={WIDTH} height="2" />
      {of.map(([at, status], index) => {
        const left = x(at);
        const right = x(of[index + 1]?.[0] ?? end);
        const height = HEIGHTS[status];
        return <rect key={at} class={status} x={left} y={16 - height} width={Math.max(1, right - left)} height={height} />;
      })}
    </svg>
  );
}
