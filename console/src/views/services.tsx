import { CreateService } from '../actions/actions.tsx';
import { causeWords, kindWords } from '../causes.ts';
import { Ago } from '../clock.tsx';
import { Code } from '../parts/copy.tsx';
import { Pager, SearchBox, Select } from '../parts/filters.tsx';
import { Hour } from '../parts/hour.tsx';
import { Name, serviceHref } from '../parts/links.tsx';
import { Title } from '../parts/section.tsx';
import { Status } from '../parts/status.tsx';
import { Table } from '../parts/table.tsx';
import { href } from '../route.ts';
import { viewTitle } from '../titles.ts';
import type { ViewProps } from '../views.ts';
import { number, words } from '../words.ts';

const t = words({
  en: {
    find: 'Find by name, or IP:PORT',
    found: '{found} of {all} {all:service|services}',
    namespace: 'Namespace',
    group: 'Group',
    status: 'Status',
    service: 'Service',
    available: 'Available',
    of: '{available} / {total} ({needed} needed)',
    since: 'Since',
    cause: 'Cause',
    watchers: 'Watchers',
    subscribers: 'Subscribers',
    hour: 'Last hour',
    none: 'No service matches.',
    clear: 'Show all services',
    nothing: 'Nothing has registered yet. A client of Nacos does it by itself; for a trial, one call is enough:',
  },
  'zh-CN': {
    find: '按名称或 IP:PORT 查找',
    found: '{all} 个服务中的 {found} 个',
    namespace: '命名空间',
    group: '分组',
    status: '状态',
    service: '服务',
    available: '可用实例',
    of: '{available} / {total}（需要 {needed}）',
    since: '开始时间',
    cause: '原因',
    watchers: '健康观察者',
    subscribers: '订阅者',
    hour: '最近一小时',
    none: '没有匹配的服务。',
    clear: '显示全部服务',
    nothing: '还没有服务注册。Nacos 客户端会自动注册；试用时一条命令即可：',
  },
});

/** Every service, searched and sorted by the server. */
export function Services({ facts, rows }: ViewProps<'services'>) {
  const { found, all } = facts;
  if (all === 0) return <NothingYet />;
  return (
    <>
      <Title title={viewTitle('services')} note={t('found', { found, all })} actions={<CreateService />} />
      <div class="filters">
        <SearchBox label={t('find')} />
        <Select name="namespace" label={t('namespace')} of={facts.namespaces} />
        <Select name="group" label={t('group')} of={facts.groups} />
        <Select
          name="status"
          label={t('status')}
          of={(['SERVING', 'NOT_SERVING'] as const).map((status) => [status, kindWords(status)])}
        />
      </div>
      <Table
        caption={viewTitle('services')}
        rows={rows}
        to={serviceHref}
        look={({ status }) => (status === 'NOT_SERVING' ? 'bad' : undefined)}
        empty={
          <>
            {t('none')} <a href={href('services')}>{t('clear')}</a>
          </>
        }
        columns={[
          { title: t('status'), sort: 'status', cell: (row) => <Status is={row.status} /> },
          { title: t('service'), sort: 'name', cell: (row) => <Name of={row} /> },
          {
            title: t('available'),
            sort: 'available',
            isNumber: true,
            cell: ({ available, total, needed }) => t('of', { available, total, needed }),
          },
          { title: t('since'), sort: 'since', cell: ({ since }) => since !== undefined && <Ago at={since} /> },
          { title: t('cause'), isMinor: true, cell: ({ cause }) => cause !== undefined && causeWords(cause) },
          { title: t('watchers'), isNumber: true, isMinor: true, cell: ({ watchers }) => number(watchers) },
          { title: t('subscribers'), isNumber: true, isMinor: true, cell: ({ subscribers }) => number(subscribers) },
          { title: t('hour'), cell: ({ hour }) => <Hour of={hour} /> },
        ]}
      />
      <Pager page={facts.page} pages={facts.pages} />
    </>
  );
}

function NothingYet() {
  const call = `curl -X POST '${location.origin}/nacos/v1/ns/instance?serviceName=orders&ip=127.0.0.1&port=8080'`;
  return (
    <>
      <Title title={viewTitle('services')} actions={<CreateService />} />
      <div class="section">
        <p>{t('nothing')}</p>
        <Code text={call} />
      </div>
    </>
  );
}
