import type { Banner as Told } from '../../../src/console/api.ts';
import { Ago, span } from '../clock.tsx';
import { href } from '../route.ts';
import { number, words } from '../words.ts';
import { Banner } from './banner.tsx';

const t = words({
  en: {
    stalled: 'beatbridge was stalled and heard nobody{long}. Deadlines were postponed: nobody was taken for dead because of it.',
    long: ' for {span}',
    remembered: '{count} {count:instance is|instances are} remembered from before the restart, and not heard of since.',
    'mass-silence': 'Very many fell silent at once{many}: most likely a network or a proxy. Removals are slowed.',
    'mass-loss': 'Very many connections ended at once{many}: their instances are kept until they are back.',
    many: ' ({count})',
    limit: 'A limit is nearly used up: {what}, {used} of {most}.',
    full: 'A limit is used up, more is refused: {what}, {used} of {most}.',
    ending: 'The TLS certificate {what} ends soon.',
    ended: 'The TLS certificate {what} has ended: clients refuse to connect.',
    'certificate-refused': 'The new TLS certificate cannot be used, the one before stays: {what}',
    store: 'The store cannot be written. Everything is served, but a restart would lose what is new: {what}',
    draining: 'beatbridge is about to end: it is draining.',
    webhooks: '{count} {count:webhook does|webhooks do} not take what {count:it is|they are} told: {what}.',
    'unreadable-users': 'The user file has changed and cannot be taken: users stay as they were. The log says why.',
    until: 'Until:',
    since: 'Since:',
    ends: 'End:',
    more: 'To the server',
  },
  'zh-CN': {
    stalled: 'beatbridge 曾停顿{long}，期间收不到心跳。期限已顺延，没有实例因此被判为不健康。',
    long: ' {span}',
    remembered: '{count} 个实例为重启前的记录，重启后尚无消息。',
    'mass-silence': '大量实例同时心跳超时{many}，很可能是网络或代理故障。已放慢移除。',
    'mass-loss': '大量连接同时断开{many}，其实例暂时保留，等待重连。',
    many: '（{count} 个）',
    limit: '即将达到上限：{what}，已用 {used} / {most}。',
    full: '已达到上限，更多请求将被拒绝：{what}，{used} / {most}。',
    ending: 'TLS 证书 {what} 即将到期。',
    ended: 'TLS 证书 {what} 已过期，客户端会拒绝连接。',
    'certificate-refused': '新的 TLS 证书无法使用，继续使用原证书：{what}',
    store: '存储无法写入。服务不受影响，但重启会丢失新数据：{what}',
    draining: 'beatbridge 即将退出，正在排空连接。',
    webhooks: '{count} 个 webhook 未接收通知：{what}。',
    'unreadable-users': '用户文件已修改但无法加载，用户保持不变。原因见日志。',
    until: '截止：',
    since: '开始：',
    ends: '到期：',
    more: '查看服务器',
  },
});

/** What is to be known before anything else, in words: `<News of={banner} />`. */
export function News({ of }: { readonly of: Told }) {
  const { kind, level, since, until } = of;
  const isOfServer = kind === 'limit' || kind.startsWith('certificate') || kind === 'store' || kind === 'webhooks';
  return (
    <Banner level={level}>
      {saidOf(of)}{' '}
      {since !== undefined && (
        <small>
          {t('since')} <Ago at={since} />{' '}
        </small>
      )}
      {until !== undefined && (
        <small>
          {t(kind.startsWith('certificate') ? 'ends' : 'until')} <Ago at={until} />{' '}
        </small>
      )}
      {isOfServer && <a href={href('server')}>{t('more')}</a>}
    </Banner>
  );
}

function saidOf({ kind, level, count = 0, what = '', used = 0, most = 0, forMs }: Told): string {
  switch (kind) {
    case 'stalled':
      return t('stalled', { long: forMs === undefined ? '' : t('long', { span: span(forMs) }) });
    case 'mass-silence':
    case 'mass-loss':
      return t(kind, { many: count === 0 ? '' : t('many', { count }) });
    case 'limit':
      return t(level === 'error' ? 'full' : 'limit', { what, used: number(used), most: number(most) });
    case 'certificate':
      return t(level === 'error' ? 'ended' : 'ending', { what });
    default:
      return t(kind, { count, what });
  }
}
