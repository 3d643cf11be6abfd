import type { ClientsFacts, EventLine } from '../../../src/console/api.ts';
import { Ago } from '../clock.tsx';
import { endWords } from '../ends.ts';
import { Pager, SearchBox, Select } from '../parts/filters.tsx';
import { addressOf, ClientLink, Software } from '../parts/links.tsx';
import { Section, Title } from '../parts/section.tsx';
import { Table } from '../parts/table.tsx';
import { href } from '../route.ts';
import { viewTitle } from '../titles.ts';
import type { ViewProps } from '../views.ts';
import { number, words } from '../words.ts';

const t = words({
  en: {
    find: 'Find by id, address, version or application',
    count: '{connections} {connections:connection|connections}, {addresses} {addresses:address|addresses}',
    found: '{found} found',
    kind: 'Kind',
    connection: 'connection (2.x, 3.x)',
    address: 'address (1.x, persistent)',
    id: 'Id',
    version: 'Client',
    from: 'Address',
    since: 'Connected',
    registered: 'Registered',
    subscribed: 'Subscribed',
    none: 'No client matches.',
    ended: 'Ended lately',
    endedBy: 'since the start: {what}',
    instances: '{n} {n:instance|instances}',
    why: 'Why',
    when: 'When',
    held: 'It held',
    noneEnded: 'No connection that held instances has ended lately.',
  },
  'zh-CN': {
    find: '按 ID、地址、版本或应用查找',
    count: '{connections} 个连接，{addresses} 个地址',
    found: '找到 {found} 个',
    kind: '类型',
    connection: '连接（2.x、3.x）',
    address: '地址（1.x、持久化）',
    id: 'ID',
    version: '客户端',
    from: '地址',
    since: '连接时间',
    registered: '注册实例',
    subscribed: '订阅服务',
    none: '没有匹配的客户端。',
    ended: '最近断开',
    endedBy: '启动以来：{what}',
    instances: '{n} 个实例',
    why: '原因',
    when: '时间',
    held: '持有的实例',
    noneEnded: '最近没有持有实例的连接断开。',
  },
});

/** Who is connected, and who stands behind an address; and whose connection ended lately, and why. */
export function Clients({ facts, rows }: ViewProps<'clients'>) {
  const { found, connections, addresses } = facts;
  const isSome = found !== connections + addresses;
  return (
    <>
      <Title
        title={viewTitle('clients')}
        note={`${t('count', { connections, addresses })}${isSome ? ` · ${t('found', { found })}` : ''}`}
      />
      <div class="filters">
        <SearchBox label={t('find')} />
        <Select name="kind" label={t('kind')} of={(['connection', 'address'] as const).map((kind) => [kind, t(kind)])} />
      </div>
      <Table
        caption={viewTitle('clients')}
        rows={rows}
        to={({ id }) => href('client', { id })}
        empty={t('none')}
        columns={[
          { title: t('id'), cell: ({ id }) => <ClientLink id={id} /> },
          { title: t('kind'), isMinor: true, cell: ({ kind }) => t(kind) },
          { title: t('version'), cell: (row) => <Software of={row} /> },
          { title: t('from'), isMinor: true, cell: (row) => <span class="mono">{addressOf(row)}</span> },
          { title: t('since'), cell: ({ since }) => since !== undefined && <Ago at={since} /> },
          { title: t('registered'), isNumber: true, cell: ({ registered }) => number(registered) },
          { title: t('subscribed'), isNumber: true, cell: ({ subscribed }) => number(subscribed) },
        ]}
      />
      <Pager page={facts.page} pages={facts.pages} />
      <Ended {...facts} />
    </>
  );
}

function Ended({ ended, endedBy = {} }: ClientsFacts) {
  const counts = Object.entries(endedBy).map(([reason, count]) => `${endWords(reason)}: ${number(count)}`);
  return (
    <Section title={t('ended')}>
      <Table
        caption={t('ended')}
        rows={ended.map((line) => ({ ...line, key: String(line.seq) }))}
        {...(ended.length > 0 && { to: ({ by }: EventLine) => href('client', { id: by?.connection }) })}
        empty={t('noneEnded')}
        columns={[
          { title: t('when'), cell: ({ at }) => <Ago at={at} /> },
          { title: t('id'), cell: ({ by }) => by?.connection !== undefined && <ClientLink id={by.connection} /> },
          { title: t('version'), isMinor: true, cell: ({ by }) => by?.agent },
          { title: t('why'), cell: ({ detail }) => endWords(String(detail?.reason ?? '')) },
          { title: t('held'), cell: (line) => <Held by={line} /> },
        ]}
      />
      {counts.length > 0 && <small>{t('endedBy', { what: counts.join(' · ') })}</small>}
    </Section>
  );
}

const NAMED = 3;

function Held({ by: { instances = [], count = instances.length } }: { readonly by: EventLine }) {
  const addresses = [...new Set(instances.map(addressOf))];
  return (
    <span>
      {t('instances', { n: count })}{' '}
      <small class="mono">
        {addresses.slice(0, NAMED).join(', ')} {addresses.length > NAMED && '…'}
      </small>
    </span>
  );
}
