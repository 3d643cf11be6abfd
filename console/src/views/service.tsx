import type { ServiceFacts, ServiceRow } from '../../../src/console/api.ts';
import { ServiceActions } from '../actions/actions.tsx';
import { Copy } from '../parts/copy.tsx';
import { Empty } from '../parts/empty.tsx';
import { EventList } from '../parts/event-list.tsx';
import { Facts } from '../parts/facts.tsx';
import { Hour } from '../parts/hour.tsx';
import { ClientLink } from '../parts/links.tsx';
import { Section, Title } from '../parts/section.tsx';
import { href, param } from '../route.ts';
import { viewTitle } from '../titles.ts';
import type { ViewProps } from '../views.ts';
import { number, words } from '../words.ts';
import { AskingFor } from './service/asking.tsx';
import { Instances } from './service/instances.tsx';
import { Pending, Verdict, WhoFails } from './service/verdict.tsx';

const t = words({
  en: {
    unknown: 'Nobody knows a service of this name: it has not registered, or has been forgotten.',
    unknownAs: 'Health says SERVICE_UNKNOWN.',
    all: 'All services',
    namespace: 'Namespace',
    group: 'Group',
    name: 'Health name',
    copyName: 'Copy the health name',
    hour: 'Last hour',
    minAvailable: 'Instances needed',
    protectThreshold: 'Protection threshold',
    metadata: 'Metadata',
    settings: 'Name and settings',
    created: 'Kept',
    isCreated: 'until it is deleted: it was created',
    events: 'What happened last',
    affected: 'Who is told',
    subscribers: 'Subscribers',
    watchers: 'Health watchers',
    times: '{count} times',
    nobody: 'Nobody.',
    more: 'and {count} more',
    connection: 'over its connection',
    datagrams: 'by UDP',
  },
  'zh-CN': {
    unknown: '没有这个名称的服务：尚未注册，或已被清除。',
    unknownAs: '健康检查返回 SERVICE_UNKNOWN。',
    all: '全部服务',
    namespace: '命名空间',
    group: '分组',
    name: '健康检查名称',
    copyName: '复制健康检查名称',
    hour: '最近一小时',
    minAvailable: '需要的实例数',
    protectThreshold: '保护阈值',
    metadata: '元数据',
    settings: '名称与设置',
    created: '保留',
    isCreated: '手动创建，删除前一直保留',
    events: '最近事件',
    affected: '通知对象',
    subscribers: '订阅者',
    watchers: '健康观察者',
    times: '{count} 次',
    nobody: '无。',
    more: '另有 {count} 个',
    connection: '通过连接',
    datagrams: '通过 UDP',
  },
});

/** One service: the verdict first, then who fails, who is in it, who is told, what happened, and how to ask. */
export function Service({ facts, rows }: ViewProps<'service'>) {
  const { service, asking } = facts;
  if (service === null) return <Unknown events={facts.events} />;
  return (
    <>
      <Title
        title={service.service}
        note={<Where of={service} />}
        actions={facts.mayOperate && <ServiceActions of={service} total={service.total} isCreated={facts.isCreated} />}
      />
      <Verdict facts={facts} service={service} />
      <Pending pending={facts.pending} />
      <WhoFails {...facts} />
      <Instances facts={facts} service={service} rows={rows} isSearched={param('search') !== ''} />
      <Told facts={facts} />
      <Section title={t('events')}>
        <EventList events={facts.events} without="service" />
      </Section>
      {asking !== null && <AskingFor of={service} asking={asking} instances={rows.map(({ ip, port }) => `${ip}:${port}`)} />}
      <About facts={facts} service={service} />
    </>
  );
}

function Where({ of }: { readonly of: ServiceRow }) {
  const { namespace, group, hour } = of;
  return (
    <>
      {(namespace !== 'public' || group !== 'DEFAULT_GROUP') && `${namespace} / ${group} `}
      <Hour of={hour} />
    </>
  );
}

function Unknown({ events }: Pick<ServiceFacts, 'events'>) {
  return (
    <>
      <Title title={param('service') || viewTitle('service')} />
      <Empty>
        <p>{t('unknown')}</p>
        <p>{t('unknownAs')}</p>
        <p>
          <a href={href('services')}>{t('all')}</a>
        </p>
      </Empty>
      {events.length > 0 && (
        <Section title={t('events')}>
          <EventList events={events} without="service" />
        </Section>
      )}
    </>
  );
}

function Told({ facts: { subscribers, watchers } }: { readonly facts: ServiceFacts }) {
  if (subscribers.count + watchers.count === 0) return null;
  return (
    <Section title={t('affected')}>
      <div class="told">
        <div>
          <h3>
            {t('watchers')} <small>{number(watchers.count)}</small>
          </h3>
          <ul>
            {watchers.first.map(({ name, ip, count }) => (
              <li key={`${ip} ${name}`}>
                <span class="mono">{ip}</span> <code>{name}</code> {count > 1 && <small>{t('times', { count })}</small>}
              </li>
            ))}
            <Rest
              count={watchers.count - watchers.first.reduce((sum, { count }) => sum + count, 0)}
              isNone={watchers.count === 0}
            />
          </ul>
        </div>
        <div>
          <h3>
            {t('subscribers')} <small>{number(subscribers.count)}</small>
          </h3>
          <ul>
            {subscribers.first.map(({ clientId, ip, port, client, app, by }) => (
              <li key={clientId}>
                {by === 'connection' ? <ClientLink id={clientId} /> : <span class="mono">{`${ip}:${port}`}</span>} {app}{' '}
                <small>
                  {client} {t(by)}
                </small>
              </li>
            ))}
            <Rest count={subscribers.count - subscribers.first.length} isNone={subscribers.count === 0} />
          </ul>
        </div>
      </div>
    </Section>
  );
}

function Rest({ count, isNone }: { readonly count: number; readonly isNone: boolean }) {
  if (isNone) return <li class="muted">{t('nobody')}</li>;
  return count > 0 ? <li>{t('more', { count })}</li> : null;
}

function About({ facts, service }: { readonly facts: ServiceFacts; readonly service: ServiceRow }) {
  const { settings, asking, isCreated } = facts;
  const metadata = Object.entries(settings?.metadata ?? {});
  return (
    <Section title={t('settings')}>
      <Facts
        of={[
          [t('namespace'), service.namespace],
          [t('group'), service.group],
          [
            t('name'),
            asking !== null && (
              <>
                <code>{asking.name}</code> <Copy text={asking.name} label={t('copyName')} />
              </>
            ),
          ],
          [t('minAvailable'), settings?.minAvailable],
          [t('protectThreshold'), settings?.protectThreshold !== undefined && number(settings.protectThreshold)],
          [t('created'), isCreated && t('isCreated')],
          [
            t('metadata'),
            metadata.length > 0 && (
              <span class="more-of">
                {metadata.map(([key, value]) => (
                  <code key={key}>
                    {key}={value}
                  </code>
                ))}
              </span>
            ),
          ],
        ]}
      />
    </Section>
  );
}
