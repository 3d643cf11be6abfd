import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { EventLine, EventSubject, ServiceRef } from '../../../src/console/api.ts';
import { kindWords } from '../causes.ts';
import { Ago, inFull } from '../clock.tsx';
import { NAMED, piecesOf, SERVICE, STATUS, WHO } from '../sentences.ts';
import { number, words } from '../words.ts';
import { Empty } from './empty.tsx';
import { Facts } from './facts.tsx';
import { addressOf, ClientLink, InstanceLink, Name } from './links.tsx';
import { Status } from './status.tsx';

const t = words({
  en: {
    events: 'What happened',
    nothing: 'Nothing has happened that is still known.',
    by: 'by {who}',
    counts: '{available} of {total} available, {needed} needed',
    lastBeat: 'last heartbeat',
    from: 'from {who}',
    every: 'every {seconds} s',
    more: 'Details',
    number: 'Number',
    time: 'Time',
    cause: 'Cause',
    became: 'Before and after',
    who: '{n} {n:instance|instances}',
    beforeAll: 'none',
    comma: ', ',
  },
  'zh-CN': {
    events: '事件',
    nothing: '没有仍被保留的事件。',
    by: '操作者：{who}',
    counts: '{total} 个实例中 {available} 个可用，需要 {needed} 个',
    lastBeat: '最后一次心跳',
    from: '来自 {who}',
    every: '每 {seconds} 秒一次',
    more: '详情',
    number: '编号',
    time: '时间',
    cause: '原因',
    became: '变化前后',
    who: '{n} 个实例',
    beforeAll: '无',
    comma: '、',
  },
});

interface Props {
  readonly events: readonly EventLine[];
  /** What goes without saying where the list stands: the service, or the instance too. */
  readonly without?: 'service' | 'instance';
  /** What is said where there is none. */
  readonly empty?: ComponentChildren;
}

/** What happened, as sentences, the last first: `<EventList events={facts.events} without="service" />`. They come the oldest first. */
export function EventList({ events, without, empty = t('nothing') }: Props) {
  if (events.length === 0) return <Empty>{empty}</Empty>;
  return (
    <ol class="events" aria-label={t('events')}>
      {events.toReversed().map((line) => (
        <Event key={line.seq} line={line} without={without} />
      ))}
    </ol>
  );
}

function Event({ line, without }: { readonly line: EventLine; readonly without: Props['without'] }) {
  const [isOpen, open] = useState(false);
  return (
    <li class={lookOf(line)}>
      <Ago at={line.at} />
      <div>
        <Sentence line={line} without={without} />
        <details open={isOpen} onToggle={({ currentTarget }) => open(currentTarget.open)}>
          <summary title={t('more')} aria-label={t('more')}>
            …
          </summary>
          {isOpen && <Details line={line} />}
        </details>
      </div>
    </li>
  );
}

function lookOf({ from, to, kind, cause }: EventLine): string {
  // What it was before is no news.
  if (to !== undefined && from === to) return 'off';
  if (to === 'not-serving' || to === 'unhealthy' || cause === 'store-failing') return 'bad';
  if (to === 'serving' || to === 'healthy' || cause === 'store-recovered') return 'good';
  return kind === 'registry' || WARNED.has(cause) ? 'warn' : 'off';
}

const WARNED: ReadonlySet<string> = new Set(['stalled', 'refused', 'certificate', 'draining']);

function serviceOf({ namespace, group, service }: EventLine): ServiceRef | undefined {
  return namespace === undefined || group === undefined || service === undefined ? undefined : { namespace, group, service };
}

/** One event: whom, what, by whom. */
export function Sentence({ line, without }: { readonly line: EventLine; readonly without?: Props['without'] }) {
  const { cause, instances = [], to, by, counts } = line;
  const service = serviceOf(line);
  const shown = (piece: string): ComponentChildren => {
    if (piece === SERVICE) return service && <Name of={service} />;
    if (piece === STATUS) return to && <Status is={to} says={kindWords(STANDINGS[to] ?? to)} />;
    if (piece === WHO) return <Who of={instances.slice(0, NAMED)} service={service} />;
    return piece;
  };
  return (
    <>
      <span class="sentence">{piecesOf(line, without).map(shown)}</span>
      {counts && <small>{t('counts', { ...counts })}</small>}
      <LastBeat of={instances[0]} cause={cause} />
      <ByWhom by={by} />
    </>
  );
}

const STANDINGS: Readonly<Record<string, string>> = {
  serving: 'SERVING',
  'not-serving': 'NOT_SERVING',
  unknown: 'SERVICE_UNKNOWN',
  removed: 'gone',
};

function Who({ of, service }: { readonly of: readonly EventSubject[]; readonly service: ServiceRef | undefined }) {
  return (
    <>
      {of.map((one, index) => (
        <span key={addressOf(one)}>
          {index > 0 && t('comma')}
          <Whom of={one} service={service} />
        </span>
      ))}
    </>
  );
}

function Whom({ of, service }: { readonly of: EventSubject; readonly service: ServiceRef | undefined }) {
  if (service === undefined) return <span class="mono">{addressOf(of)}</span>;
  return <InstanceLink of={{ ...service, ip: of.ip, port: of.port }} />;
}

function LastBeat({ of, cause }: { readonly of: EventSubject | undefined; readonly cause: string }) {
  if (of?.lastBeatAt === undefined || (cause !== 'silent' && cause !== 'removed')) return null;
  return (
    <small>
      {t('lastBeat')} <LastHeard of={of} />
    </small>
  );
}

function LastHeard({ of: { lastBeatAt, heardFrom, client, intervalMs } }: { readonly of: EventSubject }) {
  if (lastBeatAt === undefined) return null;
  return (
    <>
      <Ago at={lastBeatAt} /> {heardFrom !== undefined && t('from', { who: heardFrom })}
      {client !== undefined && ` · ${client}`}
      {intervalMs !== undefined && ` · ${t('every', { seconds: intervalMs / 1_000 })}`}
    </>
  );
}

/** Who has done it: a user, or where it came from. */
export function ByWhom({ by }: { readonly by: EventLine['by'] }) {
  if (by === undefined) return null;
  const { user, peer, agent, connection } = by;
  const from = [peer, agent && agentWords(agent)].filter((one) => one !== undefined).join(' · ');
  return (
    <small title={agent}>
      {user !== undefined && t('by', { who: user })} {from !== '' && t(user === undefined ? 'by' : 'from', { who: from })}{' '}
      {connection !== undefined && <ClientLink id={connection} />}
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

/** All that is known of it, by the names that programs read it by. */
function Details({ line }: { readonly line: EventLine }) {
  const { seq, at, kind, cause, instances = [], count = instances.length, from, to, by = {}, detail = {} } = line;
  const service = serviceOf(line);
  const became = from === undefined && to === undefined ? undefined : `${from ?? t('beforeAll')} → ${to ?? t('beforeAll')}`;
  return (
    <>
      <Facts
        of={[
          [t('time'), inFull(Date.parse(at))],
          [t('number'), number(seq)],
          [
            t('cause'),
            <code key={cause}>
              {kind} {cause}
            </code>,
          ],
          [t('became'), became],
          ...[...Object.entries(detail), ...Object.entries(by)].map(([name, value]) => [name, String(value)] as const),
        ]}
      />
      {count > 0 && kind !== 'bridge' && (
        <>
          <small>{t('who', { n: count })}</small>
          <ul>
            {instances.map((one) => (
              <li key={addressOf(one)}>
                <Whom of={one} service={service} /> <small>{one.cluster}</small>{' '}
                <small>
                  <LastHeard of={one} />
                </small>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
