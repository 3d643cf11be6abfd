import type { NowFacts, Recovered, Tiles } from '../../../src/console/api.ts';
import { causeWords } from '../causes.ts';
import { Ago, span } from '../clock.tsx';
import { Code } from '../parts/copy.tsx';
import { Tile } from '../parts/facts.tsx';
import { FailingTable } from '../parts/failing.tsx';
import { Latest } from '../parts/latest.tsx';
import { Name } from '../parts/links.tsx';
import { News } from '../parts/news.tsx';
import { Plot } from '../parts/plot.tsx';
import { Section } from '../parts/section.tsx';
import { href } from '../route.ts';
import { session } from '../session.ts';
import type { ViewProps } from '../views.ts';
import { number, words } from '../words.ts';

const t = words({
  en: {
    allWell: 'All {all} services are serving',
    oneWell: 'The one service is serving',
    down: '{down} of {all} {all:service|services} {down:is|are} down',
    nothing: 'Nothing is registered yet',
    begin: 'Point a client here, or register an instance by hand:',
    serving: 'Serving',
    notServing: 'Not serving',
    instances: 'Instances',
    healthy: '{count} healthy',
    clients1: 'Beating (1.x)',
    clients2: 'Clients 2.x',
    watches: 'Health watches',
    subscribers: 'Subscribers',
    beats: 'Heartbeats per second',
    received: 'received',
    expected: 'expected',
    recovered: 'Serving again',
    lasted: 'was down for {span}',
    latest: 'What happened last',
    all: 'All events',
  },
  'zh-CN': {
    allWell: '全部 {all} 个服务均可用',
    oneWell: '唯一的服务可用',
    down: '{all} 个服务中有 {down} 个不可用',
    nothing: '尚未注册任何服务',
    begin: '将客户端指向此地址，或手动注册一个实例：',
    serving: '可用服务',
    notServing: '不可用服务',
    instances: '实例',
    healthy: '{count} 个健康',
    clients1: '心跳实例（1.x）',
    clients2: '2.x 客户端',
    watches: '健康观察者',
    subscribers: '订阅者',
    beats: '每秒心跳数',
    received: '实际收到',
    expected: '预期',
    recovered: '刚刚恢复',
    lasted: '不可用时长 {span}',
    latest: '最近事件',
    all: '全部事件',
  },
});

/** What is down now, since when, why, and who. */
export function Now({ facts, rows }: ViewProps<'now'>) {
  const { tiles, failingCount, banners, recovered, latest } = facts;
  return (
    <>
      <Verdict down={failingCount} all={tiles.serving + failingCount} />
      {banners.map((banner) => (
        <News key={`${banner.kind} ${banner.what}`} of={banner} />
      ))}
      {tiles.serving + failingCount === 0 && <Beginning />}
      {failingCount > 0 && <FailingTable rows={rows} count={failingCount} />}
      {recovered.length > 0 && <Back of={recovered} />}
      <TileRow tiles={tiles} />
      <BeatPlot facts={facts} />
      <Section title={t('latest')} actions={<a href={href('events')}>{t('all')}</a>}>
        <Latest key={session.value?.bridge} before={latest} most={MOST_LATEST} />
      </Section>
    </>
  );
}

const MOST_LATEST = 10;

/** The first that one sees, and hears. */
function Verdict({ down, all }: { readonly down: number; readonly all: number }) {
  const [look, sign] = all === 0 ? ['off', '◌'] : down === 0 ? ['good', '●'] : ['bad', '▲'];
  const says = all === 0 ? t('nothing') : down > 0 ? t('down', { down, all }) : t(all === 1 ? 'oneWell' : 'allWell', { all });
  return (
    <div class="head title" role="status">
      <h1 class={`verdict ${look}`}>
        <span aria-hidden="true">{sign}</span> {says}
      </h1>
    </div>
  );
}

function Beginning() {
  const { host, origin } = location;
  return (
    <Section title={t('begin')}>
      <Code label="curl" text={`curl -X POST '${origin}/nacos/v1/ns/instance?serviceName=orders&ip=10.0.0.1&port=8080'`} />
      <Code label="Spring Cloud Alibaba" text={`spring.cloud.nacos.discovery.server-addr=${host}`} />
      <Code label="Dubbo" text={`dubbo.registry.address=nacos://${host}`} />
    </Section>
  );
}

function TileRow({ tiles }: { readonly tiles: Tiles }) {
  const { clients1, clients2, watches, subscribers } = tiles;
  const to = (status: string) => href('services', { status });
  return (
    <div class="tiles">
      <Tile
        label={t('notServing')}
        value={number(tiles.notServing)}
        look={tiles.notServing > 0 ? 'bad' : undefined}
        to={to('NOT_SERVING')}
      />
      <Tile label={t('serving')} value={number(tiles.serving)} to={to('SERVING')} />
      <Tile label={t('instances')} value={number(tiles.instances)} note={t('healthy', { count: tiles.healthy })} />
      {clients1 !== undefined && (
        <Tile label={t('clients1')} value={number(clients1)} to={href('clients', { kind: 'address' })} />
      )}
      {clients2 !== undefined && (
        <Tile label={t('clients2')} value={number(clients2)} to={href('clients', { kind: 'connection' })} />
      )}
      {subscribers !== undefined && <Tile label={t('subscribers')} value={number(subscribers)} to={href('pushes')} />}
      {watches !== undefined && <Tile label={t('watches')} value={number(watches)} />}
    </div>
  );
}

function Back({ of }: { readonly of: readonly Recovered[] }) {
  return (
    <Section title={t('recovered')} note={number(of.length)}>
      <ol class="events">
        {of.map((one) => (
          <li key={`${one.namespace} ${one.group} ${one.service}`} class="good">
            <Ago at={one.at} />
            <div>
              <Name of={one} /> <span>{causeWords(one.cause)}</span>{' '}
              {one.since !== undefined && <small>{t('lasted', { span: span(one.at - one.since) })}</small>}
            </div>
          </li>
        ))}
      </ol>
    </Section>
  );
}

function BeatPlot({ facts: { beats, lastBeats } }: { readonly facts: Pick<NowFacts, 'beats' | 'lastBeats'> }) {
  const points = [...beats, ...lastBeats];
  const [, received = 0, expected = 0] = points.at(-1) ?? [];
  const says = `${t('beats')}: ${number(received)} ${t('received')}, ${number(expected)} ${t('expected')}`;
  return (
    <Section title={t('beats')}>
      <Plot
        label={says}
        points={points}
        series={[
          { label: t('received'), colour: 'accent' },
          { label: t('expected'), colour: 'muted', isDashed: true },
        ]}
      />
    </Section>
  );
}
