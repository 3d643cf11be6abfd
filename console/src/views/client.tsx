import type { ClientFacts, ClientRow, EventLine } from '../../../src/console/api.ts';
import { Ago } from '../clock.tsx';
import { endWords } from '../ends.ts';
import { Copy } from '../parts/copy.tsx';
import { Empty } from '../parts/empty.tsx';
import { EventList } from '../parts/event-list.tsx';
import { Facts } from '../parts/facts.tsx';
import { addressOf, InstanceLink, instanceHref, Name, serviceHref } from '../parts/links.tsx';
import { Section, Title } from '../parts/section.tsx';
import { Status } from '../parts/status.tsx';
import { Table } from '../parts/table.tsx';
import { route } from '../route.ts';
import type { ViewProps } from '../views.ts';
import { number, words } from '../words.ts';

const t = words({
  en: {
    connected: 'Connected',
    byConnection: 'what it has registered lives as long as this connection',
    byAddress: 'An address: whoever beats or listens there, or has registered it for good. It has no connection.',
    ended: 'Its connection ended',
    andWith: 'Gone with it: {n} {n:instance|instances}',
    unknown: 'No such client is known now.',
    who: 'Who it is',
    kind: 'Kind',
    connection: 'connection (2.x, 3.x)',
    address: 'address (1.x, persistent)',
    version: 'Client',
    app: 'Application',
    from: 'Address',
    since: 'Connected',
    registered: 'Registered',
    subscribed: 'Subscribed',
    labels: 'Labels',
    service: 'Service',
    instance: 'Instance',
    health: 'Health',
    available: 'Available',
    noneRegistered: 'It has registered nothing.',
    noneSubscribed: 'It has subscribed to nothing.',
    more: 'and {n} more',
    first: 'the first {n}',
    events: 'What happened',
  },
  'zh-CN': {
    connected: '已连接',
    byConnection: '其注册的实例与该连接共存亡',
    byAddress: '一个地址：在此发送心跳、监听推送，或注册为持久化实例。没有连接。',
    ended: '连接已断开',
    andWith: '随之消失 {n} 个实例',
    unknown: '当前没有这个客户端。',
    who: '基本信息',
    kind: '类型',
    connection: '连接（2.x、3.x）',
    address: '地址（1.x、持久化）',
    version: '客户端',
    app: '应用',
    from: '地址',
    since: '连接时间',
    registered: '注册实例',
    subscribed: '订阅服务',
    labels: '标签',
    service: '服务',
    instance: '实例',
    health: '健康状态',
    available: '是否可用',
    noneRegistered: '未注册任何实例。',
    noneSubscribed: '未订阅任何服务。',
    more: '另有 {n} 个',
    first: '前 {n} 个',
    events: '事件',
  },
});

/** One client: who it is, what it holds and hears of, and why it ended. */
export function Client({ facts }: ViewProps<'client'>) {
  const { client, ended, events } = facts;
  const { id = '' } = route.value.params;
  return (
    <>
      <Title title={id} actions={<Copy text={id} />} />
      <Verdict of={client} ended={ended} events={events} />
      {client !== null && <Who of={client} labels={facts.labels} />}
      {client !== null && <Registered of={facts} count={client.registered} />}
      {client !== null && <Subscribed of={facts} count={client.subscribed} />}
      <Section title={t('events')}>
        <EventList events={events} />
      </Section>
    </>
  );
}

function Verdict({ of, ended, events }: { readonly of: ClientRow | null } & Pick<ClientFacts, 'ended' | 'events'>) {
  if (ended !== null) {
    return (
      <div class="verdict bad">
        <p>
          <strong role="status">
            <Status is="gone" says={t('ended')} look="bad" />
          </strong>{' '}
          <Ago at={ended.at} />: {endWords(String(ended.detail?.reason ?? ''))}
        </p>
        <p>{t('andWith', { n: ended.count ?? 0 })}</p>
        <Held by={events.filter(({ kind, cause }) => kind === 'instance' && cause === 'connection-ended')} />
      </div>
    );
  }
  if (of === null) return <div class="verdict off">{t('unknown')}</div>;
  if (of.kind === 'address') return <div class="verdict off">{t('byAddress')}</div>;
  return (
    <div class="verdict">
      <p>
        <strong role="status">
          <Status is="available" says={t('connected')} />
        </strong>{' '}
        {of.since !== undefined && <Ago at={of.since} />}: {t('byConnection')}
      </p>
    </div>
  );
}

/** What went with it, service by service. */
function Held({ by }: { readonly by: readonly EventLine[] }) {
  return (
    <ul class="failing">
      {by.map(({ seq, namespace = '', group = '', service = '', instances = [], count = instances.length }) => (
        <li key={seq}>
          <Name of={{ namespace, group, service }} />
          {instances.slice(0, NAMED).map(({ ip, port }) => (
            <InstanceLink key={`${ip} ${port}`} of={{ namespace, group, service, ip, port }} />
          ))}
          {count > NAMED && <small>{t('more', { n: count - NAMED })}</small>}
        </li>
      ))}
    </ul>
  );
}

const NAMED = 5;

function Who({ of, labels }: { readonly of: ClientRow; readonly labels: ClientFacts['labels'] }) {
  const { kind, client, app, since } = of;
  const said = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return (
    <Section title={t('who')}>
      <Facts
        of={[
          [t('version'), client],
          [t('app'), app],
          [t('kind'), t(kind)],
          [t('from'), <span class="mono">{addressOf(of)}</span>],
          [t('since'), since !== undefined && <Ago at={since} />],
          [t('labels'), said.length > 0 && <span class="mono">{said.join(' ')}</span>],
        ]}
      />
    </Section>
  );
}

interface Listed {
  readonly of: ClientFacts;
  /** Of how many the first are named. */
  readonly count: number;
}

function Registered({ of: { registered }, count }: Listed) {
  return (
    <Section title={t('registered')} note={noteOf(count, registered.length)}>
      <Table
        caption={t('registered')}
        rows={registered.map((one) => ({ ...one, key: instanceHref(one) }))}
        to={(one) => instanceHref(one)}
        look={({ available }) => (available ? undefined : 'bad')}
        empty={t('noneRegistered')}
        columns={[
          { title: t('service'), cell: (one) => <Name of={one} /> },
          { title: t('instance'), cell: (one) => <InstanceLink of={one} /> },
          { title: t('health'), cell: ({ healthy }) => <Status is={healthy ? 'healthy' : 'unhealthy'} /> },
          { title: t('available'), cell: ({ available }) => <Status is={available ? 'available' : 'not-available'} /> },
        ]}
      />
    </Section>
  );
}

function Subscribed({ of: { subscribed }, count }: Listed) {
  return (
    <Section title={t('subscribed')} note={noteOf(count, subscribed.length)}>
      {subscribed.length === 0 ? (
        <Empty>{t('noneSubscribed')}</Empty>
      ) : (
        <ul class="names">
          {subscribed.map((one) => (
            <li key={serviceHref(one)}>
              <Name of={one} />
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function noteOf(count: number, named: number): string {
  return count > named ? `${number(count)} · ${t('first', { n: named })}` : number(count);
}
