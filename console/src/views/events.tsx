import { useState } from 'preact/hooks';
import type { EventLine, Missed } from '../../../src/console/api.ts';
import { causeWords } from '../causes.ts';
import { happened } from '../live.ts';
import { EventList } from '../parts/event-list.tsx';
import { SearchBox, Select } from '../parts/filters.tsx';
import { Title } from '../parts/section.tsx';
import { href, param, setParam } from '../route.ts';
import { viewTitle } from '../titles.ts';
import type { ViewProps } from '../views.ts';
import { words } from '../words.ts';

const t = words({
  en: {
    text: 'Find in events',
    service: 'Service, its whole name',
    instance: 'Instance, IP:PORT',
    namespace: 'Namespace',
    causes: 'Causes',
    anyCause: 'all causes',
    someCauses: '{n} {n:cause|causes}',
    clear: 'All causes',
    since: 'Since',
    ago: 'the last {span}',
    min: '{n} min',
    h: '{n} h',
    clearAll: 'No filter',
    pause: 'Pause',
    resume: 'Resume',
    fresh: '{n} new',
    paused: 'Paused: {n} new {n:event|events}',
    live: 'The last first, as it happens',
    save: 'Save as JSON lines',
    saved: 'Saves the {n} {n:event|events} shown here',
    open: 'Open /events',
    opens: 'The same from the bridge itself, for programs: namespace, service, cause and since are taken along',
    missed: '{n} {n:event|events} more happened here, too fast to be shown. Reload, or look into /events.',
    missedSome: 'More happened here than could be shown. Reload, or look into /events.',
    none: 'Nothing that is asked for has happened.',
  },
  'zh-CN': {
    text: '在事件中查找',
    service: '服务全名',
    instance: '实例 IP:端口',
    namespace: '命名空间',
    causes: '原因',
    anyCause: '全部原因',
    someCauses: '{n} 种原因',
    clear: '全部原因',
    since: '时间范围',
    ago: '最近 {span}',
    min: '{n} 分钟',
    h: '{n} 小时',
    clearAll: '清除筛选',
    pause: '暂停',
    resume: '继续',
    fresh: '{n} 条新事件',
    paused: '已暂停：{n} 条新事件',
    live: '实时更新，最新的在最上面',
    save: '保存为 JSON 行',
    saved: '保存此处显示的 {n} 条事件',
    open: '打开 /events',
    opens: '由服务器直接返回，供程序读取：带上命名空间、服务、原因和时间范围',
    missed: '此处另有 {n} 条事件发生过快，未能显示。请重新加载，或查看 /events。',
    missedSome: '此处发生的事件过多，未能全部显示。请重新加载，或查看 /events。',
    none: '没有符合条件的事件。',
  },
});

/** How many stand on the screen: the older ones are a filter away. */
const MOST_SHOWN = 500;
const FILTERS = ['text', 'service', 'instance', 'namespace', 'cause', 'since'] as const;
const SPANS = [
  ['5m', 'min', 5],
  ['15m', 'min', 15],
  ['1h', 'h', 1],
  ['6h', 'h', 6],
  ['24h', 'h', 24],
] as const;

/** What has happened, the last first, and what happens while somebody looks. */
export function Events({ facts }: ViewProps<'events'>) {
  // How far a person wants to see, while he reads.
  const [pausedAt, pauseAt] = useState<number>();
  const runs = runsOf(facts.events, happened.value);
  const all = runs.flatMap(({ lines }) => lines);
  const isShown = ({ seq }: EventLine) => pausedAt === undefined || seq <= pausedAt;
  const shown = all.filter(isShown);
  const fresh = all.length - shown.length;
  return (
    <>
      <Title
        title={viewTitle('events')}
        note={t('live')}
        actions={
          <>
            <button
              type="button"
              class={pausedAt === undefined ? '' : 'primary'}
              aria-pressed={pausedAt !== undefined}
              onClick={() => pauseAt(pausedAt === undefined ? (all.at(-1)?.seq ?? 0) : undefined)}
            >
              {pausedAt === undefined
                ? `❚❚ ${t('pause')}`
                : `▶ ${t('resume')}${fresh > 0 ? ` · ${t('fresh', { n: fresh })}` : ''}`}
            </button>
            <button
              type="button"
              title={t('saved', { n: shown.length })}
              disabled={shown.length === 0}
              onClick={() => save(shown)}
            >
              {t('save')}
            </button>
            <a class="button" href={eventsAddress()} title={t('opens')} target="_blank" rel="noreferrer">
              {t('open')}
            </a>
          </>
        }
      />
      <Filters causes={facts.causes} events={all} />
      <p class="unseen" role="status">
        {pausedAt !== undefined && t('paused', { n: fresh })}
      </p>
      <div class="section">
        {runs.toReversed().map(({ lines, missed }) => {
          const seen = lines.filter(isShown);
          if (seen.length === 0 && runs.length > 1) return null;
          return (
            <div key={lines[0]?.seq ?? 0}>
              <EventList events={seen} empty={t('none')} />
              {missed && (
                <p class="banner warn">{missed.count === undefined ? t('missedSome') : t('missed', { n: missed.count })}</p>
              )}
            </div>
          );
        })}
      </div>
    </>
  );
}

/** Events that came one after the other, and how many were missed before the first of them. */
interface Run {
  readonly lines: readonly EventLine[];
  readonly missed?: Missed;
}

/** The events of a whole view, and what has been told since. */
export function runsOf(events: readonly EventLine[], since: readonly (EventLine | Missed)[]): readonly Run[] {
  const runs: { lines: EventLine[]; missed?: Missed }[] = [{ lines: [...events] }];
  for (const one of since) {
    if ('seq' in one) runs.at(-1)?.lines.push(one);
    else runs.push({ lines: [], missed: one });
  }
  let over = runs.reduce((sum, { lines }) => sum + lines.length, 0) - MOST_SHOWN;
  return runs.flatMap(({ lines, missed }) => {
    const cut = Math.max(0, Math.min(over, lines.length));
    over -= cut;
    if (cut === 0) return [{ lines, ...(missed && { missed }) }];
    // What came before is not on the screen any more, and so neither is what was missed there.
    return cut === lines.length ? [] : [{ lines: lines.slice(cut) }];
  });
}

function Filters({ causes, events }: { readonly causes: readonly string[]; readonly events: readonly EventLine[] }) {
  const namespaces = [...new Set(events.flatMap(({ namespace }) => namespace ?? []))].sort();
  const isOne = namespaces.length < 2 && param('namespace') === '';
  return (
    <div class="filters">
      <SearchBox name="text" label={t('text')} />
      <SearchBox name="service" label={t('service')} />
      <SearchBox name="instance" label={t('instance')} />
      <Causes of={causes} />
      {!isOne && <Select name="namespace" label={t('namespace')} of={namespaces} />}
      <Select
        name="since"
        label={t('since')}
        of={SPANS.map(([value, unit, n]) => [value, t('ago', { span: t(unit, { n }) })] as const)}
      />
      {FILTERS.some((name) => param(name) !== '') && <a href={href('events')}>{t('clearAll')}</a>}
    </div>
  );
}

/** Several of them at once. */
function Causes({ of }: { readonly of: readonly string[] }) {
  const chosen = param('cause')
    .split(',')
    .filter((cause) => cause !== '');
  const choose = (next: readonly string[]) => setParam('cause', next.join(','), 'push');
  return (
    <details class="choose">
      <summary>
        {t('causes')}: {chosen.length === 0 ? t('anyCause') : t('someCauses', { n: chosen.length })}
      </summary>
      <fieldset>
        <legend class="unseen">{t('causes')}</legend>
        <button type="button" class="quiet" disabled={chosen.length === 0} onClick={() => choose([])}>
          {t('clear')}
        </button>
        {of.map((cause) => (
          <label key={cause}>
            <input
              type="checkbox"
              checked={chosen.includes(cause)}
              onChange={({ currentTarget: { checked } }) =>
                choose(checked ? [...chosen, cause] : chosen.filter((other) => other !== cause))
              }
            />
            {causeWords(cause)} <code>{cause}</code>
          </label>
        ))}
      </fieldset>
    </details>
  );
}

/** As `/events` answers them, the oldest first. */
function save(events: readonly EventLine[]): void {
  const text = events.map((line) => `${JSON.stringify(line)}\n`).join('');
  const address = URL.createObjectURL(new Blob([text], { type: 'application/x-ndjson' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = `events-${events.at(-1)?.seq ?? 0}.jsonl`;
  link.click();
  // Once it is being saved it is read.
  setTimeout(() => URL.revokeObjectURL(address), SAVED_WITHIN_MS);
}

const SAVED_WITHIN_MS = 10_000;

/** Where the bridge has it: beside `/nacos/`, or whatever the page's own place is. */
function eventsAddress(): string {
  const asked = (['namespace', 'service', 'cause', 'since'] as const).map((name): [string, string] => [name, param(name)]);
  const query = new URLSearchParams(asked.filter(([, value]) => value !== '')).toString();
  return `${location.pathname.replace(/[^/]*\/?$/, '')}events${query === '' ? '' : `?${query}`}`;
}
