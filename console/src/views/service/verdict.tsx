import type { FailingInstance, ServiceFacts, ServiceRow } from '../../../../src/console/api.ts';
import { causeWords, kindWords } from '../../causes.ts';
import { Ago, Countdown } from '../../clock.tsx';
import { Banner } from '../../parts/banner.tsx';
import { ByWhom } from '../../parts/event-list.tsx';
import { InstanceLink } from '../../parts/links.tsx';
import { Section } from '../../parts/section.tsx';
import { Status } from '../../parts/status.tsx';
import { reasonWords } from '../../reasons.ts';
import { number, words } from '../../words.ts';

const t = words({
  en: {
    since: 'became so',
    counts: '{available} of {total} {total:instance|instances} available, {needed} needed',
    'no-instances': 'it has no instance',
    'none-available': 'no instance can be called',
    'min-available': 'too few instances can be called',
    lasting: 'enough instances can be called again, and have to last',
    fails: 'Who fails:',
    affected: 'Who is affected:',
    nobody: 'nobody watches it, and nobody has subscribed',
    told: '{watchers} health {watchers:watcher|watchers}, {subscribers} {subscribers:subscriber|subscribers}',
    pending: '{status} is told in',
    lasts: 'if it lasts',
    failing: 'Who fails',
    more: 'and {count} more',
    lastBeat: 'last heartbeat',
    from: 'from {who}',
    every: 'every {seconds} s',
    until: 'until',
  },
  'zh-CN': {
    since: '开始于',
    counts: '{total} 个实例中 {available} 个可用，需要 {needed} 个',
    'no-instances': '没有实例',
    'none-available': '没有可用实例',
    'min-available': '可用实例不足',
    lasting: '可用实例已足够，等待状态持续',
    fails: '异常实例：',
    affected: '受影响方：',
    nobody: '没有健康观察者，也没有订阅者',
    told: '{watchers} 个健康观察者，{subscribers} 个订阅者',
    pending: '将判定为{status}，剩余',
    lasts: '若状态持续',
    failing: '异常实例',
    more: '另有 {count} 个',
    lastBeat: '最后一次心跳',
    from: '来自 {who}',
    every: '每 {seconds} 秒一次',
    until: '直到',
  },
});

type Because = 'no-instances' | 'none-available' | 'min-available' | 'lasting';

/** In a sentence: how it is and since when, because of what, who stopped, and who is affected by it. */
export function Verdict({ facts, service }: { readonly facts: ServiceFacts; readonly service: ServiceRow }) {
  const { status, available, total, needed, since, cause, watchers, subscribers } = service;
  const isBad = status === 'NOT_SERVING';
  return (
    <div class={`verdict ${isBad ? 'bad' : ''}`}>
      <p>
        <strong role="status">
          <Status is={status} />
        </strong>
        {since !== undefined && (
          <>
            {' · '}
            {t('since')} <Ago at={since} />
          </>
        )}
        {cause !== undefined && ` · ${causeWords(cause)}`}
      </p>
      <p>
        {/* The table answers with nothing for what is not in it. */}
        {facts.because !== null && <b>{t(facts.because as Because) || facts.because} · </b>}
        {t('counts', { available, total, needed })}
      </p>
      {facts.failing.length > 0 && (
        <div class="failing">
          {t('fails')}
          <FailingList of={facts.failing.slice(0, NAMED_AT_ONCE)} count={facts.failingCount} />
        </div>
      )}
      <p>
        {t('affected')} {watchers + subscribers === 0 ? t('nobody') : t('told', { watchers, subscribers })}
      </p>
    </div>
  );
}

/** What is told before long, if nothing changes. */
export function Pending({ pending }: Pick<ServiceFacts, 'pending'>) {
  if (pending === null) return null;
  return (
    <Banner level={pending.status === 'NOT_SERVING' ? 'warn' : 'info'}>
      {t('pending', { status: kindWords(pending.status) })} <Countdown to={pending.at} /> ({t('lasts')})
    </Banner>
  );
}

/** Where there are more than the verdict names: who cannot be called, or has gone lately. */
export function WhoFails({ failing, failingCount }: Pick<ServiceFacts, 'failing' | 'failingCount'>) {
  if (failing.length <= NAMED_AT_ONCE) return null;
  return (
    <Section title={t('failing')} note={number(failingCount)}>
      <div class="failing">
        <FailingList of={failing} count={failingCount} />
      </div>
    </Section>
  );
}

const NAMED_AT_ONCE = 3;

function FailingList({ of, count }: { readonly of: readonly FailingInstance[]; readonly count: number }) {
  return (
    <ul>
      {of.map((one) => (
        <li key={`${one.ip} ${one.port} ${one.cause}`}>
          <Fails of={one} />
        </li>
      ))}
      {count > of.length && <li>{t('more', { count: count - of.length })}</li>}
    </ul>
  );
}

function Fails({ of }: { readonly of: FailingInstance }) {
  const { cause, since, lastBeatAt, heardFrom, client, intervalMs, reason, until, by } = of;
  return (
    <>
      <InstanceLink of={of} /> <span>{causeWords(cause)}</span> {since !== undefined && <Ago at={since} />}{' '}
      <small>
        {lastBeatAt === undefined && reason !== undefined && `${cause === 'drained' ? reason : reasonWords(reason)} `}
        {until !== undefined && (
          <>
            {t('until')} <Ago at={until} />{' '}
          </>
        )}
        {lastBeatAt !== undefined && (
          <>
            {t('lastBeat')} <Ago at={lastBeatAt} />{' '}
          </>
        )}
        {heardFrom !== undefined && t('from', { who: heardFrom })} {client}{' '}
        {intervalMs !== undefined && t('every', { seconds: intervalMs / 1_000 })}
      </small>
      <ByWhom by={by} />
    </>
  );
}
