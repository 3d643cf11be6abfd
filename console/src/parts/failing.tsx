import type { FailingInstance, FailingService } from '../../../src/console/api.ts';
import { causeWords } from '../causes.ts';
import { Ago } from '../clock.tsx';
import { reasonWords } from '../reasons.ts';
import { number, words } from '../words.ts';
import { ByWhom } from './event-list.tsx';
import { addressOf, InstanceLink, Name, serviceHref } from './links.tsx';
import { Section } from './section.tsx';
import { Status } from './status.tsx';
import { Table } from './table.tsx';

const t = words({
  en: {
    failing: 'Down now',
    first: 'the last {shown} of {count}',
    service: 'Service',
    status: 'Status',
    available: 'Available',
    of: '{available} of {total}, {needed} needed',
    since: 'Since',
    cause: 'Why',
    affected: 'Affected',
    who: '{subscribers} {subscribers:subscriber|subscribers}, {watchers} {watchers:watch|watches}',
    nobody: 'nobody is told',
    lastBeat: 'last heartbeat',
    from: 'from {who}',
    until: 'until',
    more: '… and {count} more',
  },
  'zh-CN': {
    failing: '当前不可用',
    first: '共 {count} 个，显示最近的 {shown} 个',
    service: '服务',
    status: '状态',
    available: '可用实例',
    of: '{available} / {total}，需要 {needed}',
    since: '开始时间',
    cause: '原因',
    affected: '受影响方',
    who: '{subscribers} 个订阅者，{watchers} 个健康观察者',
    nobody: '无人订阅',
    lastBeat: '最后一次心跳',
    from: '来自 {who}',
    until: '直到',
    more: '…另有 {count} 个',
  },
});

interface Props {
  readonly rows: readonly (FailingService & { readonly key: string })[];
  /** Of all of them. */
  readonly count: number;
}

/** Services that do not serve: since when, why, who, and who is affected. */
export function FailingTable({ rows, count }: Props) {
  const note = count > rows.length ? t('first', { shown: rows.length, count }) : number(count);
  return (
    <Section title={t('failing')} note={note}>
      <Table
        caption={t('failing')}
        rows={rows}
        to={serviceHref}
        look={() => 'bad'}
        columns={[
          { title: t('service'), cell: (row) => <Name of={row} /> },
          { title: t('status'), cell: (row) => <Status is={row.status} /> },
          { title: t('since'), cell: ({ since }) => since !== undefined && <Ago at={since} /> },
          { title: t('cause'), cell: ({ cause, because }) => (cause === undefined ? because : causeWords(cause)) },
          { title: t('available'), cell: ({ available, total, needed }) => t('of', { available, total, needed }) },
          {
            title: t('affected'),
            cell: ({ watchers, subscribers }) =>
              watchers + subscribers === 0 ? t('nobody') : t('who', { watchers, subscribers }),
          },
        ]}
        more={({ failing, failingCount }) => failing.length > 0 && <Whom of={failing} count={failingCount} />}
      />
    </Section>
  );
}

function Whom({ of, count }: { readonly of: readonly FailingInstance[]; readonly count: number }) {
  return (
    <ul class="failing">
      {of.map((one) => (
        <li key={addressOf(one)}>
          <InstanceLink of={one} /> <span>{causeWords(one.cause)}</span>
          {one.since !== undefined && <Ago at={one.since} />}
          <LastHeard of={one} />
          <Reason of={one} />
          {one.until !== undefined && (
            <small>
              {t('until')} <Ago at={one.until} />
            </small>
          )}
          <ByWhom by={one.by} />
        </li>
      ))}
      {count > of.length && <li>{t('more', { count: count - of.length })}</li>}
    </ul>
  );
}

/** Not where the words of the cause, the last heartbeat or who has done it say the same; what people have written is left as it is. */
function Reason({ of: { reason, cause, by } }: { readonly of: FailingInstance }) {
  if (reason === undefined || cause === 'removed') return null;
  if (cause === 'drained') return <small>{reason}</small>;
  return by === undefined ? <small>{reasonWords(reason)}</small> : null;
}

function LastHeard({ of: { lastBeatAt, heardFrom, client } }: { readonly of: FailingInstance }) {
  if (lastBeatAt === undefined && heardFrom === undefined && client === undefined) return null;
  return (
    <small>
      {lastBeatAt !== undefined && (
        <>
          {t('lastBeat')} <Ago at={lastBeatAt} />
        </>
      )}{' '}
      {heardFrom !== undefined && t('from', { who: heardFrom })} {client}
    </small>
  );
}
