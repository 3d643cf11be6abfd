import type { PushesFacts } from '../../../src/console/api.ts';
import { Pager, SearchBox, Select } from '../parts/filters.tsx';
import { addressOf, ClientLink, Name, Software } from '../parts/links.tsx';
import { Section, Title } from '../parts/section.tsx';
import { Table } from '../parts/table.tsx';
import { viewTitle } from '../titles.ts';
import type { ViewProps } from '../views.ts';
import { number, words } from '../words.ts';

const t = words({
  en: {
    find: 'Find by service, client or application',
    by: 'Way',
    connection: 'connection (2.x, 3.x)',
    datagrams: 'datagrams (1.x)',
    found: '{found} {found:subscription|subscriptions}',
    service: 'Service',
    client: 'Client',
    version: 'Version',
    from: 'Address',
    none: 'Nobody has subscribed, or none matches.',
    pushes: 'Pushes since the start',
    subscribers: 'Subscribed',
    sent: 'Sent',
    acknowledged: 'Acknowledged',
    failed: 'Failed',
    failedNote: 'not acknowledged in time; over a connection it is repeated for as long as that lives',
  },
  'zh-CN': {
    find: '按服务、客户端或应用查找',
    by: '方式',
    connection: '连接（2.x、3.x）',
    datagrams: 'UDP 报文（1.x）',
    found: '{found} 个订阅',
    service: '服务',
    client: '客户端',
    version: '版本',
    from: '地址',
    none: '没有订阅者，或没有匹配项。',
    pushes: '启动以来的推送',
    subscribers: '订阅',
    sent: '已发送',
    acknowledged: '已确认',
    failed: '失败',
    failedNote: '未在时限内确认；经连接推送的会一直重试到连接断开',
  },
});

/** Who is told of changes of which service, by which way, and what became of it. */
export function Pushes({ facts, rows }: ViewProps<'pushes'>) {
  const { found } = facts;
  return (
    <>
      <Title title={viewTitle('pushes')} note={t('found', { found })} />
      <Counts {...facts} />
      <div class="filters">
        <SearchBox label={t('find')} />
        <Select name="by" label={t('by')} of={(['connection', 'datagrams'] as const).map((way) => [way, t(way)])} />
      </div>
      <Table
        caption={viewTitle('pushes')}
        rows={rows}
        empty={t('none')}
        columns={[
          { title: t('service'), cell: (row) => <Name of={row} /> },
          { title: t('client'), cell: ({ clientId }) => <ClientLink id={clientId} /> },
          { title: t('version'), cell: (row) => <Software of={row} /> },
          { title: t('from'), isMinor: true, cell: (row) => <span class="mono">{addressOf(row)}</span> },
          { title: t('by'), cell: ({ by }) => t(by) },
        ]}
      />
      <Pager page={facts.page} pages={facts.pages} />
    </>
  );
}

function Counts({ overConnections, byDatagrams }: PushesFacts) {
  const figure = (value: number | undefined) => value !== undefined && number(value);
  return (
    <Section title={t('pushes')}>
      <Table
        caption={t('pushes')}
        rows={[
          { key: 'connection' as const, ...overConnections },
          { key: 'datagrams' as const, ...byDatagrams },
        ]}
        look={({ failed = 0 }) => (failed > 0 ? 'warn' : undefined)}
        columns={[
          { title: t('by'), cell: ({ key }) => t(key) },
          { title: t('subscribers'), isNumber: true, cell: ({ subscribers }) => number(subscribers) },
          { title: t('sent'), isNumber: true, cell: ({ sent }) => figure(sent) },
          { title: t('acknowledged'), isNumber: true, cell: ({ acknowledged }) => figure(acknowledged) },
          { title: t('failed'), isNumber: true, cell: ({ failed }) => figure(failed) },
        ]}
      />
      <small>
        {t('failed')}: {t('failedNote')}
      </small>
    </Section>
  );
}
