import type { InstanceRow, ServiceFacts, ServiceRef, ServiceRow } from '../../../../src/console/api.ts';
import { InstanceActions } from '../../actions/actions.tsx';
import { causeWords, kindWords } from '../../causes.ts';
import { Ago, Countdown } from '../../clock.tsx';
import { Pager, SearchBox } from '../../parts/filters.tsx';
import { ClientLink, InstanceLink, instanceHref } from '../../parts/links.tsx';
import { Section } from '../../parts/section.tsx';
import { Status } from '../../parts/status.tsx';
import { Table } from '../../parts/table.tsx';
import { reasonWords } from '../../reasons.ts';
import { number, words } from '../../words.ts';

const t = words({
  en: {
    instances: 'Instances',
    find: 'Find by address, cluster or metadata',
    address: 'Address',
    status: 'Status',
    offline: 'offline',
    beat: 'Heartbeat',
    unhealthy: 'unhealthy in',
    removed: 'removed in',
    remembered: 'remembered, not heard of since the restart',
    held: 'Held by',
    from: 'From',
    weight: 'Weight',
    actions: 'Actions',
    none: 'No instance is here.',
    notFound: 'No instance matches.',
    edited: 'edited',
    registered: 'registered as',
    drained: 'drained until',
    check: '{type} check: {reason}',
    gone: '(taken away)',
  },
  'zh-CN': {
    instances: '实例',
    find: '按地址、集群或元数据查找',
    address: '地址',
    status: '状态',
    offline: '已下线',
    beat: '心跳',
    unhealthy: '距不健康',
    removed: '距移除',
    remembered: '重启前的记录，之后尚无消息',
    held: '保持方式',
    from: '来源',
    weight: '权重',
    actions: '操作',
    none: '当前没有实例。',
    notFound: '没有匹配的实例。',
    edited: '已修改',
    registered: '注册值',
    drained: '摘流至',
    check: '{type} 检查：{reason}',
    gone: '（已去除）',
  },
});

interface Props {
  readonly facts: ServiceFacts;
  readonly service: ServiceRow;
  readonly rows: readonly (InstanceRow & { readonly key: string })[];
  readonly isSearched: boolean;
}

/** Who is in it, those that cannot be called first. */
export function Instances({ facts, service, rows, isSearched }: Props) {
  const hasMany = isSearched || facts.pages > 1 || rows.length > FEW;
  return (
    <Section title={t('instances')} note={number(service.total)} actions={hasMany && <SearchBox label={t('find')} />}>
      <Table
        caption={t('instances')}
        rows={rows}
        to={(row) => instanceHref(refOf(service, row))}
        look={({ available, healthy }) => (available ? undefined : healthy ? 'warn' : 'bad')}
        empty={isSearched ? t('notFound') : t('none')}
        more={(row) => hasMore(row) && <More row={row} />}
        columns={[
          {
            title: t('address'),
            cell: (row) => (
              <span class="how">
                <InstanceLink of={refOf(service, row)} />
                {row.cluster !== 'DEFAULT' && <small>{row.cluster}</small>}
              </span>
            ),
          },
          { title: t('status'), cell: (row) => <How row={row} /> },
          { title: t('beat'), cell: (row) => <Beat row={row} /> },
          {
            title: t('held'),
            cell: ({ kind, connection }) => (
              <>
                {kindWords(kind)} {connection !== undefined && <ClientLink id={connection} />}
              </>
            ),
          },
          {
            title: t('from'),
            isMinor: true,
            cell: ({ heardFrom, client }) => (
              <>
                {heardFrom !== undefined && <span class="mono">{heardFrom}</span>} <small>{client}</small>
              </>
            ),
          },
          {
            title: t('weight'),
            isNumber: true,
            cell: ({ weight, edit }) => (
              <>
                {number(weight)} {edit?.weight !== undefined && <small>{t('edited')}</small>}
              </>
            ),
          },
          ...(facts.mayOperate
            ? [
                {
                  title: t('actions'),
                  cell: (row: InstanceRow) => <InstanceActions of={refOf(service, row)} row={row} />,
                },
              ]
            : []),
        ]}
      />
      <Pager page={facts.page} pages={facts.pages} />
    </Section>
  );
}

/** So many are seen at once. */
const FEW = 10;

function refOf({ namespace, group, service }: ServiceRef, { ip, port }: InstanceRow) {
  return { namespace, group, service, ip, port };
}

function How({ row: { healthy, enabled, cause, since } }: { readonly row: InstanceRow }) {
  return (
    <span class="how">
      <Status is={healthy ? 'healthy' : 'unhealthy'} />
      {!enabled && <Status is="disabled" look="warn" says={t('offline')} />}
      {cause !== undefined && (
        <small>
          {causeWords(cause)} {since !== undefined && <Ago at={since} />}
        </small>
      )}
    </span>
  );
}

/** When it was heard last, and how long it has until it is given up. */
function Beat({ row: { lastBeatAt, unhealthyAt, removedAt, remembered } }: { readonly row: InstanceRow }) {
  if (lastBeatAt === undefined) return null;
  const end = unhealthyAt ?? removedAt;
  return (
    <span class="how">
      <Ago at={lastBeatAt} />
      {end !== undefined && (
        <small>
          {t(unhealthyAt === undefined ? 'removed' : 'unhealthy')} <Countdown to={end} />
        </small>
      )}
      {remembered && <small>{t('remembered')}</small>}
    </span>
  );
}

function hasMore({ metadata, edit, drain, trouble }: InstanceRow): boolean {
  return Object.keys(metadata).length > 0 || edit !== undefined || drain !== undefined || trouble !== undefined;
}

function More({ row: { metadata, edit, registered, drain, trouble } }: { readonly row: InstanceRow }) {
  const said = registered?.metadata ?? {};
  const gone = Object.entries(edit?.metadata ?? {}).filter(([, value]) => value === null);
  return (
    <div class="more-of">
      {trouble !== undefined && (
        <Status is="unhealthy" look="warn" says={t('check', { ...trouble, reason: reasonWords(trouble.reason) })} />
      )}
      {drain !== undefined && (
        <span>
          {t('drained')} <Ago at={drain.until} /> {drain.reason}
        </span>
      )}
      {edit?.enabled !== undefined && <Edited name={t('status')} was={kindWords(registered?.enabled ? 'enabled' : 'disabled')} />}
      {edit?.weight !== undefined && registered !== undefined && <Edited name={t('weight')} was={number(registered.weight)} />}
      {[...Object.entries(metadata), ...gone.map(([key]) => [key, t('gone')] as const)].map(([key, value]) => {
        const isEdited = edit?.metadata !== undefined && Object.hasOwn(edit.metadata, key);
        return (
          <code key={key} class={isEdited ? 'edited' : undefined}>
            {key}={value}
            {isEdited && (
              <small>
                {' '}
                {t('registered')} {said[key] ?? '–'}
              </small>
            )}
          </code>
        );
      })}
    </div>
  );
}

function Edited({ name, was }: { readonly name: string; readonly was: string }) {
  return (
    <span>
      {name}: {t('edited')}, {t('registered')} {was}
    </span>
  );
}
