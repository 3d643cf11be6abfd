import { useEffect } from 'preact/hooks';
import type { FailingInstance, NowFacts, Tiles } from '../../../src/console/api.ts';
import { causeWords } from '../causes.ts';
import { Ago } from '../clock.tsx';
import { Banner } from '../parts/banner.tsx';
import { Tile } from '../parts/facts.tsx';
import { InstanceLink, Name, serviceHref } from '../parts/links.tsx';
import { Plot } from '../parts/plot.tsx';
import { Section, Title } from '../parts/section.tsx';
import { Status } from '../parts/status.tsx';
import { Table } from '../parts/table.tsx';
import { href } from '../route.ts';
import { failingCount } from '../title.ts';
import { viewTitle } from '../titles.ts';
import type { ViewProps } from '../views.ts';
import { number, words } from '../words.ts';

const t = words({
  en: {
    allWell: 'Everything serves.',
    failing: 'Not serving',
    service: 'Service',
    status: 'Status',
    available: 'Available',
    since: 'Since',
    cause: 'Cause',
    watchers: 'Watchers',
    serving: 'Serving',
    notServing: 'Not serving',
    instances: 'Instances',
    healthy: '{count} healthy',
    clients1: 'Clients 1.x',
    clients2: 'Clients 2.x',
    watches: 'Watches',
    subscribers: 'Subscribers',
    beats: 'Heartbeats per second',
    received: 'received',
    expected: 'expected',
    more: 'and {count} more',
    of: '{available} of {needed} needed',
    lastBeat: 'last heartbeat',
  },
  'zh-CN': {
    allWell: '所有服务均可用。',
    failing: '不可用的服务',
    service: '服务',
    status: '状态',
    available: '可用实例',
    since: '开始时间',
    cause: '原因',
    watchers: '观察者',
    serving: '可用服务',
    notServing: '不可用服务',
    instances: '实例',
    healthy: '{count} 个健康',
    clients1: '1.x 客户端',
    clients2: '2.x 客户端',
    watches: '健康观察',
    subscribers: '订阅者',
    beats: '每秒心跳',
    received: '实际收到',
    expected: '预期',
    more: '另有 {count} 个',
    of: '{available} / 需要 {needed}',
    lastBeat: '最后一次心跳',
  },
});

/** What is down now, since when, why, and who. */
export function Now({ facts, rows }: ViewProps<'now'>) {
  useEffect(() => {
    failingCount.value = facts.failingCount;
  }, [facts.failingCount]);
  return (
    <>
      <Title title={viewTitle('now')} />
      {facts.banners.map(({ kind, level, what }) => (
        <Banner key={kind} level={level}>
          {kind} {what}
        </Banner>
      ))}
      <TileRow tiles={facts.tiles} />
      <Section title={t('failing')} note={number(facts.failingCount)}>
        <Table
          caption={t('failing')}
          rows={rows}
          to={serviceHref}
          look={() => 'bad'}
          empty={t('allWell')}
          columns={[
            { title: t('service'), cell: (row) => <Name of={row} /> },
            { title: t('status'), cell: (row) => <Status is={row.status} /> },
            { title: t('available'), cell: ({ available, needed }) => t('of', { available, needed }), isNumber: true },
            { title: t('since'), cell: ({ since }) => since !== undefined && <Ago at={since} /> },
            { title: t('cause'), cell: ({ cause, because }) => (cause === undefined ? because : causeWords(cause)) },
            {
              title: t('watchers'),
              cell: ({ watchers, subscribers }) => number(watchers + subscribers),
              isNumber: true,
              isMinor: true,
            },
          ]}
          more={({ failing, failingCount: count }) => <Failing of={failing} count={count} />}
        />
      </Section>
      <BeatPlot beats={facts.beats} />
    </>
  );
}

function TileRow({ tiles }: { readonly tiles: Tiles }) {
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
      <Tile label={t('clients1')} value={number(tiles.clients1)} to={href('clients', { kind: 'address' })} />
      <Tile label={t('clients2')} value={number(tiles.clients2)} to={href('clients', { kind: 'connection' })} />
      <Tile label={t('watches')} value={number(tiles.watches)} />
      <Tile label={t('subscribers')} value={number(tiles.subscribers)} to={href('pushes')} />
    </div>
  );
}

function Failing({ of, count }: { readonly of: readonly FailingInstance[]; readonly count: number }) {
  return (
    <ul class="failing">
      {of.map((one) => (
        <li key={`${one.ip} ${one.port}`}>
          <InstanceLink of={one} /> <span>{causeWords(one.cause)}</span>
          {one.since !== undefined && <Ago at={one.since} />}
          <small>
            {one.reason} {one.client} {one.heardFrom}
          </small>
        </li>
      ))}
      {count > of.length && <li>{t('more', { count: count - of.length })}</li>}
    </ul>
  );
}

function BeatPlot({ beats }: Pick<NowFacts, 'beats'>) {
  const [, received = 0, expected = 0] = beats.points.at(-1) ?? [];
  const says = `${t('beats')}: ${number(received)} ${t('received')}, ${number(expected)} ${t('expected')}`;
  return (
    <Section title={t('beats')} note={`${number(received)} / ${number(expected)}`}>
      <Plot
        label={says}
        points={beats.points}
        series={[
          { label: t('received'), colour: 'accent' },
          { label: t('expected'), colour: 'muted', isDashed: true },
        ]}
      />
    </Section>
  );
}
