import type { IfStopped, InstanceFacts, InstanceRow, ServiceRow } from '../../../src/console/api.ts';
import { InstanceActions } from '../actions/actions.tsx';
import { causeWords, kindWords } from '../causes.ts';
import { Ago, Countdown, span } from '../clock.tsx';
import { Beats } from '../parts/beats.tsx';
import { Copy } from '../parts/copy.tsx';
import { Empty } from '../parts/empty.tsx';
import { ByWhom, EventList } from '../parts/event-list.tsx';
import { Facts } from '../parts/facts.tsx';
import { addressOf, ClientLink, instanceHref, Name, serviceHref, shortName } from '../parts/links.tsx';
import { Section, Title } from '../parts/section.tsx';
import { Status } from '../parts/status.tsx';
import { Table } from '../parts/table.tsx';
import { reasonWords } from '../reasons.ts';
import { route } from '../route.ts';
import type { ViewProps } from '../views.ts';
import { number, words } from '../words.ts';

const t = words({
  en: {
    takesCalls: 'It can be called: healthy, online, weight {weight}.',
    since: 'since',
    until: 'until',
    notThere: 'It is not registered.',
    remembered: 'As it was before a restart of beatbridge; nothing has been heard of it since.',
    service: 'Service',
    ofService: '{available} of {total} available, {needed} needed',
    health: 'Health',
    online: 'Online',
    state: 'State',
    available: 'Availability',
    weight: 'Weight',
    registeredAs: 'registered: {what}',
    lastBeat: 'Last heartbeat',
    every: 'every {seconds} s',
    unhealthyIn: 'Unhealthy in',
    removedIn: 'Removed in',
    ifSilent: 'if nothing is heard',
    heardFrom: 'Heard from',
    client: 'Client',
    keptBy: 'Kept alive by',
    cluster: 'Cluster',
    check: 'Health check',
    drained: 'Drained',
    beats: 'Heartbeats',
    held: 'It sends no heartbeats: a connection holds it, and it is there for as long as that.',
    checked: 'It sends no heartbeats: it is persistent, and as healthy as its check, or whoever sets it, says.',
    ifStopped: 'If this instance stopped',
    beatStops: 'It would be unhealthy {unhealthy} after its last heartbeat, and removed after {removed}.',
    beatStopped: 'It is unhealthy already, and removed {removed} after its last heartbeat.',
    connectionStops: 'It would be gone at once, with its connection.',
    persistentStops: 'Nobody would notice by silence: it is persistent, and only its health check or an operator takes it out.',
    missedNot: 'It is not available now, so its service would lose nothing.',
    stillServes: '{service} would still be serving: {available} available, {needed} needed.',
    fails: '{service} would not be serving any more: {available} available, {needed} needed.',
    failsAlready: '{service} is not serving already: {available} would be available, {needed} needed.',
    told: 'Told of it: {watchers} health {watchers:watch|watches}, {subscribers} {subscribers:subscriber|subscribers}.',
    toldNobody: 'Nobody watches or subscribes to it.',
    events: 'What happened to it',
    elsewhere: 'Other services at this address',
    nowhere: 'No other service has this address.',
    metadata: 'Metadata',
    noMetadata: 'None.',
    key: 'Key',
    value: 'Value',
    byOperator: 'By an operator',
    was: 'instead of {value}',
    added: 'added',
    taken: 'taken away',
  },
  'zh-CN': {
    takesCalls: '可被调用：健康，已上线，权重 {weight}。',
    since: '开始于',
    until: '截至',
    notThere: '该实例未注册。',
    remembered: 'beatbridge 重启前的记录，之后尚未收到其消息。',
    service: '服务',
    ofService: '{total} 个中 {available} 个可用，需要 {needed} 个',
    health: '健康状态',
    online: '上线状态',
    state: '状态',
    available: '可用状态',
    weight: '权重',
    registeredAs: '注册值：{what}',
    lastBeat: '最后一次心跳',
    every: '每 {seconds} 秒一次',
    unhealthyIn: '距不健康',
    removedIn: '距移除',
    ifSilent: '若再无心跳',
    heardFrom: '心跳来源',
    client: '客户端',
    keptBy: '存活依据',
    cluster: '集群',
    check: '健康检查',
    drained: '摘流',
    beats: '心跳',
    held: '不发送心跳：由连接维持，连接存在则实例存在。',
    checked: '不发送心跳：持久化实例，健康状态由健康检查或人工设置决定。',
    ifStopped: '如果该实例停止',
    beatStops: '最后一次心跳后 {unhealthy}将变为不健康，{removed}后被移除。',
    beatStopped: '已不健康，最后一次心跳后 {removed}被移除。',
    connectionStops: '将随其连接立即消失。',
    persistentStops: '不会因无消息而变化：持久化实例只由健康检查或运维人员摘除。',
    missedNot: '当前本就不可用，服务不受影响。',
    stillServes: '{service} 仍然可用：{available} 个可用，需要 {needed} 个。',
    fails: '{service} 将变为不可用：{available} 个可用，需要 {needed} 个。',
    failsAlready: '{service} 已经不可用：将有 {available} 个可用，需要 {needed} 个。',
    told: '将通知：{watchers} 个健康观察者，{subscribers} 个订阅者。',
    toldNobody: '没有观察者或订阅者。',
    events: '该实例的事件',
    elsewhere: '此地址的其他服务',
    nowhere: '没有其他服务使用此地址。',
    metadata: '元数据',
    noMetadata: '无。',
    key: '键',
    value: '值',
    byOperator: '运维人员的修改',
    was: '原值为 {value}',
    added: '新增',
    taken: '已移除',
  },
});

/** One process of a service: how it is, when it was heard, and what would follow if it stopped. */
export function Instance({ facts }: ViewProps<'instance'>) {
  const { instance, service, events, elsewhere } = facts;
  const { ip = '', port = '' } = route.value.params;
  const address = addressOf({ ip, port: Number(port) });
  return (
    <>
      <Title title={address} note={service && <Name of={service} />} actions={<Actions {...facts} />} />
      {instance === null ? <NotThere {...facts} /> : <Verdict of={instance} />}
      {instance !== null && service !== null && (
        <>
          <How of={instance} service={service} />
          <Section title={t('ifStopped')}>
            {facts.ifStopped !== null && <WouldBe of={facts.ifStopped} instance={instance} service={service} />}
          </Section>
          <Section title={t('beats')}>
            {instance.kind === 'beat' ? (
              <Beats {...instance} beats={facts.beats} intervalMs={instance.intervalMs} />
            ) : (
              <p>{instance.kind === 'connection' ? t('held') : t('checked')}</p>
            )}
          </Section>
        </>
      )}
      <Section title={t('events')}>
        <EventList events={events} without="instance" />
      </Section>
      {instance !== null && (
        <Section title={t('metadata')}>
          <Metadata of={instance} />
        </Section>
      )}
      <Section title={t('elsewhere')} note={elsewhere.length > 0 && number(elsewhere.length)}>
        <Table
          caption={t('elsewhere')}
          rows={elsewhere.map((one) => ({ ...one, key: serviceHref(one) }))}
          to={(one) => instanceHref({ ...one, ip, port: Number(port) })}
          look={({ available }) => (available ? undefined : 'bad')}
          empty={t('nowhere')}
          columns={[
            { title: t('service'), cell: (one) => <Name of={one} /> },
            { title: t('health'), cell: ({ healthy }) => <Status is={healthy ? 'healthy' : 'unhealthy'} /> },
            { title: t('available'), cell: ({ available }) => <Status is={available ? 'available' : 'not-available'} /> },
          ]}
        />
      </Section>
    </>
  );
}

function Actions({ instance, service, mayOperate }: InstanceFacts) {
  if (instance === null || service === null) return null;
  const { ip, port } = instance;
  return (
    <>
      <Copy text={addressOf(instance)} />
      {mayOperate && <InstanceActions of={{ ...service, ip, port }} row={instance} />}
    </>
  );
}

function NotThere({ events }: InstanceFacts) {
  const last = events.findLast(({ kind }) => kind === 'instance');
  return (
    <div class="verdict off">
      <p>
        <strong role="status">
          <Status is="gone" says={t('notThere')} />
        </strong>{' '}
        {last !== undefined && (
          <>
            <Ago at={last.at} />: {causeWords(last.cause)}
          </>
        )}
      </p>
      {last !== undefined && <ByWhom by={last.by} />}
    </div>
  );
}

/** Before anything else: whether it can be called, and if not, why and since when. */
function Verdict({ of }: { readonly of: InstanceRow }) {
  const { available, cause, since, drain, weight, trouble, remembered } = of;
  return (
    <div class={`verdict ${available ? '' : 'bad'}`}>
      <p>
        <strong role="status">
          <Status is={available ? 'available' : 'not-available'} />
        </strong>{' '}
        {since !== undefined && (
          <>
            {t('since')} <Ago at={since} />:{' '}
          </>
        )}
        {available ? t('takesCalls', { weight }) : cause !== undefined && causeWords(cause)}
      </p>
      {drain !== undefined && (
        <p>
          {t('until')} <Ago at={drain.until} /> {drain.reason} <ByWhom by={drain.by} />
        </p>
      )}
      {trouble !== undefined && (
        <p>
          {trouble.type}: {reasonWords(trouble.reason)}
        </p>
      )}
      {remembered && <p>{t('remembered')}</p>}
    </div>
  );
}

function How({ of, service }: { readonly of: InstanceRow; readonly service: ServiceRow }) {
  const { healthy, enabled, weight, lastBeatAt, intervalMs, unhealthyAt, removedAt, registered, trouble, drain } = of;
  const saysOtherwise = {
    enabled: registered !== undefined && registered.enabled !== enabled && kindWords(registered.enabled ? 'enabled' : 'disabled'),
    weight: registered !== undefined && registered.weight !== weight && number(registered.weight),
  };
  return (
    <Section title={t('state')}>
      <Facts
        of={[
          [
            t('service'),
            <>
              <Status is={service.status} /> <small>{t('ofService', { ...pick(service) })}</small>
            </>,
          ],
          [t('health'), <Status is={healthy ? 'healthy' : 'unhealthy'} />],
          [
            t('online'),
            <>
              <Status is={enabled ? 'enabled' : 'disabled'} /> <AsRegistered what={saysOtherwise.enabled} />
            </>,
          ],
          [
            t('weight'),
            <>
              {number(weight)} <AsRegistered what={saysOtherwise.weight} />
            </>,
          ],
          [
            t('lastBeat'),
            lastBeatAt !== undefined && (
              <>
                <Ago at={lastBeatAt} /> {intervalMs !== undefined && <small>{t('every', { seconds: intervalMs / 1_000 })}</small>}
              </>
            ),
          ],
          [t('unhealthyIn'), unhealthyAt !== undefined && <In to={unhealthyAt} />],
          [t('removedIn'), removedAt !== undefined && <In to={removedAt} />],
          [t('heardFrom'), of.heardFrom],
          [t('client'), of.client],
          [
            t('keptBy'),
            <>
              {kindWords(of.kind)} {of.connection !== undefined && <ClientLink id={of.connection} />}
            </>,
          ],
          [t('cluster'), of.cluster],
          [t('check'), trouble && `${trouble.type}: ${trouble.reason}`],
          [
            t('drained'),
            drain && (
              <>
                {t('until')} <Ago at={drain.until} /> <small>{drain.reason}</small> <ByWhom by={drain.by} />
              </>
            ),
          ],
        ]}
      />
    </Section>
  );
}

function AsRegistered({ what }: { readonly what: string | false }) {
  return what === false ? null : <small>{t('registeredAs', { what })}</small>;
}

function pick({ available, total, needed }: ServiceRow) {
  return { available, total, needed };
}

function In({ to }: { readonly to: number }) {
  return (
    <>
      <Countdown to={to} /> <small>{t('ifSilent')}</small>
    </>
  );
}

function WouldBe({
  of,
  instance,
  service,
}: {
  readonly of: IfStopped;
  readonly instance: InstanceRow;
  readonly service: ServiceRow;
}) {
  const { available, needed, watchers, subscribers } = of;
  const isBetter = of.status === 'SERVING';
  const name = { service: shortName(service), available, needed };
  const then = isBetter ? 'stillServes' : service.status === 'SERVING' ? 'fails' : 'failsAlready';
  return (
    <ul class="would">
      <li>{howSilence(of, instance)}</li>
      <li>
        {instance.available ? (
          <>
            <Status is={of.status} /> {t(then, name)}
          </>
        ) : (
          t('missedNot')
        )}
      </li>
      <li>{watchers + subscribers === 0 ? t('toldNobody') : t('told', { watchers, subscribers })}</li>
    </ul>
  );
}

function howSilence({ unhealthyAfterMs, removedAfterMs }: IfStopped, { kind, healthy }: InstanceRow): string {
  if (kind === 'connection') return t('connectionStops');
  if (unhealthyAfterMs === undefined || removedAfterMs === undefined) return t('persistentStops');
  const removed = span(removedAfterMs);
  return healthy ? t('beatStops', { unhealthy: span(unhealthyAfterMs), removed }) : t('beatStopped', { removed });
}

/** As it is, and of what an operator has laid over it, what the client has said. */
function Metadata({ of }: { readonly of: InstanceRow }) {
  const { metadata, edit } = of;
  const said = of.registered?.metadata ?? metadata;
  const edited = edit?.metadata ?? {};
  const keys = [...new Set([...Object.keys(metadata), ...Object.keys(edited)])].sort();
  if (keys.length === 0) return <Empty>{t('noMetadata')}</Empty>;
  const wordsOf = (key: string) => {
    if (!Object.hasOwn(edited, key)) return undefined;
    if (edited[key] === null) return t('taken');
    return said[key] === undefined ? t('added') : t('was', { value: said[key] });
  };
  return (
    <Table
      caption={t('metadata')}
      rows={keys.map((key) => ({ key, value: metadata[key] ?? said[key] ?? '', isGone: metadata[key] === undefined }))}
      columns={[
        { title: t('key'), cell: ({ key }) => <span class="mono">{key}</span> },
        { title: t('value'), cell: ({ value, isGone }) => <span class="mono">{isGone ? <s>{value}</s> : value}</span> },
        { title: t('byOperator'), cell: ({ key }) => wordsOf(key) },
      ]}
    />
  );
}
