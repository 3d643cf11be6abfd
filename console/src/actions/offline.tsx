import { useEffect, useId, useState } from 'preact/hooks';
import type { InstanceFacts, InstanceRef, InstanceRow } from '../../../src/console/api.ts';
import { Ago, span } from '../clock.tsx';
import { Banner } from '../parts/banner.tsx';
import { Confirm, Field } from '../parts/dialog.tsx';
import { addressOf, shortName } from '../parts/links.tsx';
import { ask } from '../session.ts';
import { perform } from '../toasts.ts';
import { words } from '../words.ts';
import { DURATION, durationIn } from './duration.ts';

const t = words({
  en: {
    offline: 'Take offline',
    online: 'Bring online',
    how: 'For how long',
    ever: 'until further notice',
    other: 'other …',
    length: 'So long: 90s, 10m, 2h, 7d',
    drains: 'It is drained: it takes no calls until then, and is back online by itself.',
    disables: 'It takes no calls until somebody brings it online again, also after a restart or another registration.',
    reason: 'Reason',
    why: 'For whoever wonders later; it stands in the events.',
    everywhere: 'also in the {n} other {n:service|services} that {n:has|have} this address',
    falls: '{service} will be NOT_SERVING: {available} available, {needed} needed.',
    stays: '{service} stays SERVING: {available} available, {needed} needed.',
    remains: '{service} is NOT_SERVING as it is: {available} available, {needed} needed.',
    told: '{n} {n:watcher or subscriber is|watchers and subscribers are} told.',
    isOffline: '{who} is offline',
    isOnline: '{who} is online',
    drained: 'Drained until',
    back: 'It takes calls again, if it is healthy and its weight is above 0.',
  },
  'zh-CN': {
    offline: '下线',
    online: '上线',
    how: '时长',
    ever: '直到手动上线',
    other: '其他……',
    length: '时长：90s、10m、2h、7d',
    drains: '临时摘流：到期前不接收调用，到期后自动上线。',
    disables: '不再接收调用，重启或重新注册后依然如此，直到有人将其上线。',
    reason: '原因',
    why: '供日后查看，记录在事件中。',
    everywhere: '同时在使用该地址的其他 {n} 个服务中摘流',
    falls: '{service} 将变为 NOT_SERVING：可用 {available} 个，需要 {needed} 个。',
    stays: '{service} 仍为 SERVING：可用 {available} 个，需要 {needed} 个。',
    remains: '{service} 已是 NOT_SERVING：可用 {available} 个，需要 {needed} 个。',
    told: '将通知 {n} 个观察者和订阅者。',
    isOffline: '{who} 已下线',
    isOnline: '{who} 已上线',
    drained: '摘流截止',
    back: '若健康且权重大于 0，将重新接收调用。',
  },
});

export interface OfInstance {
  readonly of: InstanceRef;
  readonly row: InstanceRow;
  readonly onClose: () => void;
}

const LENGTHS = ['10m', '30m', '2h', '1d'];

/** Out of service: for a time, which is a drain, or until further notice, which is an edit. */
export function Offline({ of, row, onClose }: OfInstance) {
  const [length, choose] = useState('10m');
  const facts = useFacts(of);
  const others = facts?.elsewhere.length ?? 0;
  const id = useId();
  const take = ({ other = '', reason = '', everywhere }: Readonly<Record<string, string>>) => {
    const said = t('isOffline', { who: addressOf(of) });
    const why = reason.trim() === '' ? {} : { reason: reason.trim() };
    if (length === 'ever') return perform({ do: 'disable', ...of, ...why }, said);
    const forMs = durationIn(length === 'other' ? other : length) ?? 0;
    return perform({ do: 'drain', ...of, forMs, ...why, ...(everywhere !== undefined && { everywhere: true }) }, said);
  };
  return (
    <Confirm title={`${t('offline')}: ${addressOf(of)}`} yes={t('offline')} isDangerous onYes={take} onClose={onClose}>
      {facts !== undefined && <Effect facts={facts} isAvailable={row.available} />}
      <div class="field">
        <label htmlFor={id}>{t('how')}</label>
        <select id={id} value={length} onChange={({ currentTarget }) => choose(currentTarget.value)}>
          {LENGTHS.map((one) => (
            <option key={one} value={one}>
              {span(durationIn(one) ?? 0)}
            </option>
          ))}
          <option value="other">{t('other')}</option>
          <option value="ever">{t('ever')}</option>
        </select>
        {length === 'other' && (
          <input name="other" required pattern={DURATION} title={t('length')} placeholder="45m" aria-label={t('length')} />
        )}
        <small>{t(length === 'ever' ? 'disables' : 'drains')}</small>
      </div>
      <Field name="reason" label={t('reason')} note={t('why')} />
      {others > 0 && length !== 'ever' && (
        <label class="check">
          <input type="checkbox" name="everywhere" /> {t('everywhere', { n: others })}
        </label>
      )}
    </Confirm>
  );
}

/** What the server says of the instance, asked once; undefined until it has, and where it does not. */
function useFacts({ namespace, group, service, ip, port }: InstanceRef): InstanceFacts | undefined {
  const [facts, setFacts] = useState<InstanceFacts>();
  useEffect(() => {
    const query = new URLSearchParams({ view: 'instance', namespace, group, service, ip, port: String(port) });
    const load = async () => {
      const answer = await ask(`snapshot?${query}`);
      if (answer.ok) setFacts((await answer.json()).facts);
    };
    // Without it there is less to be read, and as much to be done.
    load().catch(() => {});
  }, []);
  return facts;
}

/** What becomes of the service without the instance. */
function Effect({ facts, isAvailable }: { readonly facts: InstanceFacts; readonly isAvailable: boolean }) {
  const { ifStopped, service } = facts;
  if (!isAvailable || !ifStopped || service === null) return null;
  const { available, needed, watchers, subscribers, status } = ifStopped;
  const key = status === 'SERVING' ? 'stays' : service.status === 'SERVING' ? 'falls' : 'remains';
  const n = watchers + subscribers;
  return (
    <Banner level={key === 'falls' ? 'warn' : 'info'}>
      {t(key, { service: shortName(service), available, needed })} {n > 0 && t('told', { n })}
    </Banner>
  );
}

/** Back into service: ends a drain, or lays over it that it is enabled. */
export function Online({ of, row, onClose }: OfInstance) {
  const { drain } = row;
  const take = ({ reason = '' }: Readonly<Record<string, string>>) => {
    const said = t('isOnline', { who: addressOf(of) });
    if (drain !== undefined) return perform({ do: 'resume', ...of }, said);
    return perform({ do: 'enable', ...of, ...(reason.trim() !== '' && { reason: reason.trim() }) }, said);
  };
  return (
    <Confirm title={`${t('online')}: ${addressOf(of)}`} yes={t('online')} onYes={take} onClose={onClose}>
      {drain !== undefined && (
        <p>
          {t('drained')} <Ago at={drain.until} /> {drain.reason !== '' && <small>{drain.reason}</small>}
        </p>
      )}
      <p>{t('back')}</p>
      {drain === undefined && <Field name="reason" label={t('reason')} note={t('why')} />}
    </Confirm>
  );
}
