import type { EventLine } from '../../src/console/api.ts';
import { causeWords } from './causes.ts';
import { absolute, span } from './clock.tsx';
import { addressOf } from './parts/links.tsx';
import { number, words } from './words.ts';

/** What happened, as a sentence: texts, and in them the places of the service, of whom it happened to, and of what the service is now. */
export type Piece = string | typeof SERVICE | typeof WHO | typeof STATUS;

// As one letter each they stand in a sentence wherever a language wants them, and in nothing that anybody writes.
export const SERVICE = '\u0001';
export const WHO = '\u0002';
export const STATUS = '\u0003';
const PLACES = /([\u0001-\u0003])/;

const t = words({
  en: {
    of: '{who} of {service}',
    became: '{service} is {status}: {why}',
    becameAlone: '{status}: {why}',
    said: '{subject} {what}',
    saidOf: '{subject}: {what}',
    more: '{who} and {n} more',
    many: '{n} {n:instance|instances}',
    manyOf: '{n} {n:instance|instances} of {services} services',
    silent: 'fell silent: no heartbeat for {span}',
    removed: 'removed: no heartbeat for {span}',
    'connection-ended': 'gone: its connection {how}',
    ended: 'ended',
    closed: 'was closed by the client',
    reset: 'broke off, as when a process is killed',
    'silent-connection': 'fell silent and did not answer',
    'too-slow': 'did not take what was sent to it',
    'refused-connection': 'was refused for want of room',
    'login-ended': 'was no longer allowed: its login ended',
    drainedUntil: 'drained: taken out until {until}',
    asked: 'no longer drained, as asked',
    over: 'no longer drained: the time is over',
    'deregistered-drain': 'no longer drained: deregistered meanwhile',
    'dropped-drain': 'no longer drained: the service was dropped',
    probeGood: 'found healthy',
    probeBad: 'found unhealthy',
    probeFailed: 'failed the {check} health check: {reason}',
    'mass-silence': '{n} instances fell silent at once: removals are slowed',
    'mass-loss': '{n} instances lost their connections at once: they are kept for now',
    refused: 'refused: {what}',
    refusedTimes: 'refused {n} times: {what}',
    limit: 'a limit is reached',
    startedAs: 'beatbridge {version} started',
    startedWith:
      'beatbridge {version} started, and remembers {services} {services:service|services} with {n} {n:instance|instances}',
    stalledFor: 'the process stood still for {span}: deadlines have moved',
    drainingBy: 'beatbridge is draining after {signal}: it is about to end',
    'ends-soon': 'the TLS certificate ends soon',
    'ended-certificate': 'the TLS certificate has ended',
    'not-yet': 'the TLS certificate is not valid yet',
    renewed: 'the TLS certificate was renewed',
    'clients-renewed': 'the certificates that vouch for TLS clients were renewed',
    'refused-certificate': 'the new TLS certificate cannot be used, the one before stays',
    'other-ends-soon': 'a TLS certificate that vouches for others ends soon',
    'other-ended': 'a TLS certificate that vouches for others has ended',
    daysLeft: '{n} {n:day|days} left',
    changed: '{what}: {field} {before} → {after}',
    changedTo: '{what}: {field} is now {after}',
    changedFrom: '{what}: {field} is no longer {before}',
    changedFields: '{what}: {field}',
    changedAll: '{what}: {before} → {after}',
    because: '{what} ({because})',
    'no-instances': 'no instances',
    'min-available': '{available} available, {needed} needed',
    'drained-because': 'healthy, but drained',
    disabled: 'healthy, but offline',
    'weight-0': 'healthy, but of weight 0',
    reason: '{what}: {reason}',
  },
  'zh-CN': {
    of: '{service} 的 {who}',
    became: '{service} 变为 {status}：{why}',
    becameAlone: '变为 {status}：{why}',
    said: '{subject} {what}',
    saidOf: '{subject}：{what}',
    more: '{who} 及另外 {n} 个实例',
    many: '{n} 个实例',
    manyOf: '{services} 个服务的 {n} 个实例',
    silent: '心跳超时：已 {span}没有心跳',
    removed: '已移除：{span}没有心跳',
    'connection-ended': '已离开：连接{how}',
    ended: '已断开',
    closed: '由客户端关闭',
    reset: '异常中断（例如进程被终止）',
    'silent-connection': '无数据且无响应',
    'too-slow': '读取过慢',
    'refused-connection': '因容量不足被拒绝',
    'login-ended': '的登录已失效',
    drainedUntil: '临时摘流至 {until}',
    asked: '按要求结束摘流',
    over: '摘流到期结束',
    'deregistered-drain': '结束摘流：实例已注销',
    'dropped-drain': '结束摘流：服务已删除',
    probeGood: '判定为健康',
    probeBad: '判定为不健康',
    probeFailed: '{check} 健康检查失败：{reason}',
    'mass-silence': '{n} 个实例同时心跳超时：放慢移除',
    'mass-loss': '{n} 个实例的连接同时断开：暂时保留这些实例',
    refused: '已拒绝：{what}',
    refusedTimes: '已拒绝 {n} 次：{what}',
    limit: '达到上限',
    startedAs: 'beatbridge {version} 已启动',
    startedWith: 'beatbridge {version} 已启动，保留了重启前的 {services} 个服务、{n} 个实例',
    stalledFor: '进程曾停顿 {span}：期限顺延',
    drainingBy: '收到 {signal}，beatbridge 正在退出',
    'ends-soon': 'TLS 证书即将到期',
    'ended-certificate': 'TLS 证书已到期',
    'not-yet': 'TLS 证书尚未生效',
    renewed: 'TLS 证书已更新',
    'clients-renewed': '用于验证客户端的 TLS 证书已更新',
    'refused-certificate': '新的 TLS 证书无法使用，继续使用原证书',
    'other-ends-soon': '用于验证对方的 TLS 证书即将到期',
    'other-ended': '用于验证对方的 TLS 证书已到期',
    daysLeft: '剩余 {n} 天',
    changed: '{what}：{field} {before} → {after}',
    changedTo: '{what}：{field} 现为 {after}',
    changedFrom: '{what}：{field} 不再是 {before}',
    changedFields: '{what}：{field}',
    changedAll: '{what}：{before} → {after}',
    because: '{what}（{because}）',
    'no-instances': '没有实例',
    'min-available': '{available} 个可用，需要 {needed} 个',
    'drained-because': '健康，但已摘流',
    disabled: '健康，但已下线',
    'weight-0': '健康，但权重为 0',
    reason: '{what}：{reason}',
  },
});

type Key = Parameters<typeof t>[0];
type Detail = NonNullable<EventLine['detail']>;

/** `without`: what goes without saying where the sentence stands. */
export function piecesOf(line: EventLine, without?: 'service' | 'instance'): readonly Piece[] {
  const pieces = textOf(line, without)
    .split(PLACES)
    .filter((piece) => piece !== '');
  const [first = '', ...rest] = pieces;
  return [first.charAt(0).toUpperCase() + first.slice(1), ...rest];
}

function textOf(line: EventLine, without: 'service' | 'instance' | undefined): string {
  const { kind, service, to } = line;
  const what = whatOf(line);
  const who = without === 'instance' ? '' : whoOf(line);
  const isNamed = service !== undefined && without === undefined;
  if (kind === 'service' && to !== undefined) {
    const why = withBecause(who === '' ? what : t('said', { subject: who, what }), line);
    return isNamed ? t('became', { service: SERVICE, status: STATUS, why }) : t('becameAlone', { status: STATUS, why });
  }
  if (kind === 'service') return isNamed ? t('saidOf', { subject: SERVICE, what }) : what;
  if (who === '') return what;
  return t('said', { subject: isNamed && kind === 'instance' ? t('of', { who, service: SERVICE }) : who, what });
}

/** How many are named; of the others it is said how many they are. */
export const NAMED = 3;

function whoOf({ kind, instances = [], count = instances.length, detail = {} }: EventLine): string {
  if (kind === 'registry' && count > 0) {
    const { services } = detail;
    return typeof services === 'number' ? t('manyOf', { n: count, services }) : t('many', { n: count });
  }
  if (instances.length === 0) return count > 0 && kind !== 'bridge' ? t('many', { n: count }) : '';
  const shown = Math.min(NAMED, instances.length);
  if (count <= shown) return WHO;
  return t('more', { who: WHO, n: count - shown });
}

function whatOf(line: EventLine): string {
  const { cause, detail = {} } = line;
  const say = OF_CAUSE[cause];
  const what = say === undefined ? causeWords(cause) : say(detail, line);
  return withChange(what, detail);
}

type Say = (detail: Detail, line: EventLine) => string;

/** Where there is more to say than what the cause is. */
const OF_CAUSE: Readonly<Record<string, Say>> = {
  silent: ({ silentMs }) => (typeof silentMs === 'number' ? t('silent', { span: span(silentMs) }) : causeWords('silent')),
  removed: ({ silentMs }) => (typeof silentMs === 'number' ? t('removed', { span: span(silentMs) }) : causeWords('removed')),
  'connection-ended': ({ reason }) => t('connection-ended', { how: oneOf(HOW_ENDED, reason) ?? t('ended') }),
  drained({ until, reason }) {
    const what = typeof until === 'string' ? t('drainedUntil', { until: absolute(Date.parse(until)) }) : causeWords('drained');
    return withReason(what, reason);
  },
  resumed: ({ why }) => oneOf(WHY_RESUMED, why) ?? causeWords('resumed'),
  probe: ({ check, reason }, { to }) => {
    if (reason !== undefined) return t('probeFailed', { check: plain(check ?? ''), reason: plain(reason) });
    if (to === 'healthy' || to === 'serving') return t('probeGood');
    return to === undefined ? causeWords('probe') : t('probeBad');
  },
  'mass-silence': ({ count }) => (typeof count === 'number' ? t('mass-silence', { n: count }) : causeWords('mass-silence')),
  'mass-loss': ({ count }) => (typeof count === 'number' ? t('mass-loss', { n: count }) : causeWords('mass-loss')),
  refused({ what: said, option }, { count = 1 }) {
    const what = said === undefined ? t('limit') : option === undefined ? plain(said) : `${plain(said)} (${plain(option)})`;
    return count > 1 ? t('refusedTimes', { n: count, what }) : t('refused', { what });
  },
  started({ version, services, instances: n }) {
    if (version === undefined) return causeWords('started');
    if (typeof services !== 'number' || services === 0) return t('startedAs', { version: plain(version) });
    return t('startedWith', { version: plain(version), services, n: typeof n === 'number' ? n : 0 });
  },
  stalled: ({ gapMs }) => (typeof gapMs === 'number' ? t('stalledFor', { span: span(gapMs) }) : causeWords('stalled')),
  draining: ({ signal }) => (signal === undefined ? causeWords('draining') : t('drainingBy', { signal: plain(signal) })),
  'store-failing': ({ reason }) => withReason(causeWords('store-failing'), reason),
  certificate({ form, days }) {
    const what = oneOf(FORMS, form) ?? causeWords('certificate');
    return typeof days === 'number' ? t('because', { what, because: t('daysLeft', { n: days }) }) : what;
  },
};

const HOW_ENDED: Readonly<Record<string, Key>> = {
  closed: 'closed',
  reset: 'reset',
  silent: 'silent-connection',
  'too-slow': 'too-slow',
  refused: 'refused-connection',
  'login-ended': 'login-ended',
};

const WHY_RESUMED: Readonly<Record<string, Key>> = {
  asked: 'asked',
  over: 'over',
  deregistered: 'deregistered-drain',
  dropped: 'dropped-drain',
};

const FORMS: Readonly<Record<string, Key>> = {
  'ends-soon': 'ends-soon',
  ended: 'ended-certificate',
  'not-yet': 'not-yet',
  renewed: 'renewed',
  'clients-renewed': 'clients-renewed',
  refused: 'refused-certificate',
  'other-ends-soon': 'other-ends-soon',
  'other-ended': 'other-ended',
};

const BECAUSE: Readonly<Record<string, Key>> = {
  'no-instances': 'no-instances',
  'min-available': 'min-available',
  drained: 'drained-because',
  disabled: 'disabled',
  'weight-0': 'weight-0',
};

function oneOf(keys: Readonly<Record<string, Key>>, said: unknown): string | undefined {
  const key = typeof said === 'string' ? keys[said] : undefined;
  return key && t(key);
}

function withBecause(what: string, { detail = {}, counts }: EventLine): string {
  const key = typeof detail.because === 'string' ? BECAUSE[detail.because] : undefined;
  if (key === undefined || (key === 'min-available' && counts === undefined)) return what;
  return t('because', { what, because: t(key, { available: counts?.available ?? 0, needed: counts?.needed ?? 0 }) });
}

function withReason(what: string, reason: Detail[string] | undefined): string {
  return reason === undefined || reason === '' ? what : t('reason', { what, reason: plain(reason) });
}

function withChange(what: string, { field, fields, before, after }: Detail): string {
  if (field !== undefined) {
    const said = { what, field: plain(field), before: plain(before ?? ''), after: plain(after ?? '') };
    if (before === undefined) return t(after === undefined ? 'changedFields' : 'changedTo', said);
    return t(after === undefined ? 'changedFrom' : 'changed', said);
  }
  if (fields === undefined) return what;
  if (before === undefined || after === undefined || before === '' || after === '')
    return t('changedFields', { what, field: plain(fields) });
  return t('changedAll', { what, before: plain(before), after: plain(after) });
}

/** What somebody else has written, without what would stand for something here. */
function plain(value: Detail[string]): string {
  return typeof value === 'number' ? number(value) : String(value).replaceAll(new RegExp(PLACES, 'g'), '');
}

/** The same as a text alone, for who cannot be given links. */
export function sentenceText(line: EventLine, says: { readonly status: string; readonly service: string }): string {
  const { instances = [] } = line;
  const named: Readonly<Record<string, string>> = {
    [SERVICE]: says.service,
    [WHO]: instances.slice(0, NAMED).map(addressOf).join(', '),
    [STATUS]: says.status,
  };
  return piecesOf(line)
    .map((piece) => named[piece] ?? piece)
    .join('');
}
