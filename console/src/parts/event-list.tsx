import type { EventLine, EventSubject } from '../../../src/console/api.ts';
import { causeWords, kindWords } from '../causes.ts';
import { Ago } from '../clock.tsx';
import { endWords } from '../ends.ts';
import { words } from '../words.ts';
import { Empty } from './empty.tsx';
import { addressOf, ClientLink, InstanceLink, Name } from './links.tsx';
import { Status } from './status.tsx';

const t = words({
  en: {
    events: 'What happened',
    nothing: 'Nothing has happened that is still known.',
    more: 'and {count} more',
    by: 'by {who}',
    counts: '{available} of {total} available, {needed} needed',
    lastBeat: 'last heartbeat',
    from: 'from {who}',
    every: 'every {seconds} s',
    until: 'until',
    nothingThere: 'none',
  },
  'zh-CN': {
    events: '事件',
    nothing: '没有仍被保留的事件。',
    more: '等共 {count} 个以上',
    by: '操作者：{who}',
    counts: '{total} 个中 {available} 个可用，需要 {needed} 个',
    lastBeat: '最后一次心跳',
    from: '来自 {who}',
    every: '每 {seconds} 秒一次',
    until: '截止',
    nothingThere: '无',
  },
});

interface Props {
  readonly events: readonly EventLine[];
  /** What goes without saying where the list stands: the service, or the instance too. */
  readonly without?: 'service' | 'instance';
}

/** What happened, as sentences, the last first: `<EventList events={facts.events} without="service" />`. They come the oldest first. */
export function EventList({ events, without }: Props) {
  if (events.length === 0) return <Empty>{t('nothing')}</Empty>;
  return (
    <ol class="events" aria-label={t('events')}>
      {events.toReversed().map((line) => (
        <li key={line.seq} class={lookOf(line)}>
          <Ago at={line.at} />
          <div>
            <Sentence line={line} without={without} />
          </div>
        </li>
      ))}
    </ol>
  );
}

function lookOf({ to, kind, cause }: EventLine): string {
  if (to === 'not-serving' || to === 'unhealthy' || cause === 'store-failing') return 'bad';
  if (to === 'serving' || to === 'healthy' || to === 'available') return 'good';
  return kind === 'registry' ? 'warn' : 'off';
}

/** One event: whom, what, by whom. */
export function Sentence({ line, without }: { readonly line: EventLine; readonly without?: Props['without'] }) {
  const { kind, cause, namespace, group, service, instances = [], count = instances.length, to, by, counts } = line;
  const named =
    namespace !== undefined && group !== undefined && service !== undefined ? { namespace, group, service } : undefined;
  const said = line.detail?.reason ?? line.detail?.form;
  const detail = said !== undefined && cause === 'connection-ended' ? endWords(String(said)) : said;
  return (
    <>
      {named && without === undefined && <Name of={named} />}
      {without !== 'instance' && instances.slice(0, 3).map((one) => <Whom key={addressOf(one)} of={one} service={named} />)}
      {without !== 'instance' && count > 3 && <small>{t('more', { count: count - Math.min(3, instances.length) })}</small>}
      {kind !== 'instance' && to !== undefined && <Status is={to} says={kindWords(STANDINGS[to] ?? to)} />}
      <span>{causeWords(cause)}</span>
      <Change of={line.detail} />
      {detail !== undefined && <small>{String(detail)}</small>}
      {cause === 'drained' && line.detail?.until !== undefined && (
        <small>
          {t('until')} <Ago at={String(line.detail.until)} />
        </small>
      )}
      {counts && <small>{t('counts', { ...counts })}</small>}
      <LastBeat of={instances[0]} cause={cause} />
      <ByWhom by={by} />
    </>
  );
}

/** What an edit has made another. */
function Change({ of = {} }: { readonly of: EventLine['detail'] }) {
  const { field, fields, before = t('nothingThere'), after = t('nothingThere') } = of;
  if (field === undefined && fields === undefined) return null;
  return (
    <span class="mono">
      {field !== undefined && `${field}: `}
      {String(before)} → {String(after)}
    </span>
  );
}

const STANDINGS: Readonly<Record<string, string>> = {
  serving: 'SERVING',
  'not-serving': 'NOT_SERVING',
  unknown: 'SERVICE_UNKNOWN',
};

function Whom({
  of,
  service,
}: {
  readonly of: EventSubject;
  readonly service: Omit<Parameters<typeof InstanceLink>[0]['of'], 'ip' | 'port'> | undefined;
}) {
  if (service === undefined) return <span class="mono">{addressOf(of)}</span>;
  return <InstanceLink of={{ ...service, ip: of.ip, port: of.port }} />;
}

function LastBeat({ of, cause }: { readonly of: EventSubject | undefined; readonly cause: string }) {
  if (of?.lastBeatAt === undefined || (cause !== 'silent' && cause !== 'removed')) return null;
  const { heardFrom, client, intervalMs } = of;
  return (
    <small>
      {t('lastBeat')} <Ago at={of.lastBeatAt} /> {heardFrom !== undefined && t('from', { who: heardFrom })} {client}{' '}
      {intervalMs !== undefined && t('every', { seconds: intervalMs / 1_000 })}
    </small>
  );
}

/** Who has done it: a user, or where it came from. */
export function ByWhom({ by }: { readonly by: EventLine['by'] }) {
  if (by === undefined) return null;
  const { user, peer, agent, connection } = by;
  const who = [user, peer, agent && agentWords(agent)].filter((one) => one !== undefined).join(', ');
  return (
    <small title={agent}>
      {who !== '' && t('by', { who })} {connection !== undefined && <ClientLink id={connection} />}
    </small>
  );
}

/** A browser by its name and version: each says of itself that it is all of the others. */
function agentWords(agent: string): string {
  if (!agent.startsWith('Mozilla/')) return agent;
  for (const [name, form] of BROWSERS) {
    const [, version] = form.exec(agent) ?? [];
    if (version !== undefined) return `${name} ${version}`;
  }
  return agent;
}

const BROWSERS: readonly (readonly [name: string, form: RegExp])[] = [
  ['Edge', /Edg\/(\d+)/],
  ['Opera', /OPR\/(\d+)/],
  ['Firefox', /Firefox\/(\d+)/],
  ['Chrome', /Chrome\/(\d+)/],
  ['Safari', /Version\/(\d+)/],
];
