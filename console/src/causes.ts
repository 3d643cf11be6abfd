import { words } from './words.ts';

/** What each cause, kind and status means, in a few words. Those of events, and those for which an instance cannot be called. */
const t = words({
  en: {
    registered: 'registered',
    're-registered': 'registered again',
    returned: 'came back: registered after it had gone',
    beat: 'beats again',
    silent: 'no heartbeat for too long',
    removed: 'removed: no heartbeat for even longer',
    deregistered: 'deregistered by its client',
    'connection-ended': 'its connection ended',
    edited: 'edited by an operator',
    drained: 'drained: taken out for a time',
    resumed: 'no longer drained',
    probe: 'health check',
    restored: 'remembered from before the restart, not heard of since',
    created: 'created',
    configured: 'settings were changed',
    forgotten: 'forgotten: without instances for too long',
    dropped: 'dropped by an operator',
    'mass-silence': 'very many fell silent at once, removals are slowed',
    'mass-loss': 'very many connections ended at once, their instances are kept for now',
    postponed: 'nobody could be heard for a while, deadlines are postponed',
    lasted: 'what had changed has lasted',
    refused: 'refused: a limit, or the rules of access',
    started: 'beatbridge has started',
    stalled: 'the process was stalled, deadlines are postponed',
    draining: 'beatbridge is draining',
    'store-failing': 'the store cannot be written, trying again',
    'store-recovered': 'the store can be written again',
    certificate: 'the TLS certificate',
    'registered-unhealthy': 'registered as unhealthy',
    disabled: 'offline (disabled)',
    'weight-0': 'weight is 0',
  },
  'zh-CN': {
    registered: '已注册',
    're-registered': '重新注册',
    returned: '消失后重新注册',
    beat: '恢复心跳',
    silent: '心跳超时',
    removed: '心跳长时间超时，已被移除',
    deregistered: '由客户端主动注销',
    'connection-ended': '连接已断开',
    edited: '由运维人员修改',
    drained: '临时摘流',
    resumed: '结束摘流',
    probe: '健康检查',
    restored: '重启前的记录，之后尚无消息',
    created: '已创建',
    configured: '设置已变更',
    forgotten: '长时间没有实例，已清除',
    dropped: '由运维人员删除',
    'mass-silence': '大量实例同时心跳超时，放慢移除',
    'mass-loss': '大量连接同时断开，暂时保留其实例',
    postponed: '一段时间内无法接收心跳，期限顺延',
    lasted: '变化已持续，予以确认',
    refused: '被拒绝：达到上限或无访问权限',
    started: 'beatbridge 已启动',
    stalled: '进程曾停顿，期限顺延',
    draining: 'beatbridge 正在退出',
    'store-failing': '存储无法写入，正在重试',
    'store-recovered': '存储恢复写入',
    certificate: 'TLS 证书',
    'registered-unhealthy': '注册时即为不健康',
    disabled: '已下线',
    'weight-0': '权重为 0',
  },
});

type Cause = Parameters<typeof t>[0];

/** In words; a cause that this page does not know stays as it is. */
export function causeWords(cause: string): string {
  // The table answers with nothing for what is not in it.
  return t(cause as Cause) || cause;
}

const kinds = words({
  en: {
    SERVING: 'serving',
    NOT_SERVING: 'not serving',
    SERVICE_UNKNOWN: 'unknown',
    available: 'available',
    'not-available': 'not available',
    healthy: 'healthy',
    unhealthy: 'unhealthy',
    enabled: 'online',
    disabled: 'offline',
    gone: 'gone',
    beat: 'heartbeat (ephemeral)',
    connection: 'connection (ephemeral)',
    persistent: 'persistent',
    address: 'address (1.x)',
    instance: 'instance',
    service: 'service',
    registry: 'registry',
    bridge: 'beatbridge',
  },
  'zh-CN': {
    SERVING: '可用',
    NOT_SERVING: '不可用',
    SERVICE_UNKNOWN: '未知',
    available: '可用',
    'not-available': '不可用',
    healthy: '健康',
    unhealthy: '不健康',
    enabled: '已上线',
    disabled: '已下线',
    gone: '已消失',
    beat: '心跳（临时实例）',
    connection: '连接（临时实例）',
    persistent: '持久化实例',
    address: '地址（1.x）',
    instance: '实例',
    service: '服务',
    registry: '注册中心',
    bridge: 'beatbridge',
  },
});

type Kind = Parameters<typeof kinds>[0];

/** A status, a condition or a kind in words. */
export function kindWords(kind: string): string {
  return kinds(kind as Kind) || kind;
}
