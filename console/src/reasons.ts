import { language } from './words.ts';

/** Why something fails, as the server says it in English; where a person reads Chinese, in Chinese. */
const IN_CHINESE: Readonly<Record<string, string>> = {
  'its client says so': '由客户端设置',
  'somebody has said so': '由人工设置',
  'beats again, and not yet for long enough': '心跳已恢复，尚需持续',
  'as it was before the restart, and not heard of since': '重启前的记录，之后尚无消息',
  'not checked': '未检查',
  refused: '连接被拒绝',
  'timed out': '超时',
  'connection failed': '连接失败',
  'connection ended': '连接已断开',
  'address not allowed': '地址不允许探测',
  'host name not found': '主机名无法解析',
  'host names are not resolved': '不解析主机名',
  'unexpected status': '状态码不符',
  'check failed': '检查失败',
};

/** A reason that nobody has translated stays as it is, as do the words of people. */
export function reasonWords(reason: string): string {
  if (language.value === 'en') return reason;
  return reason
    .split(': ')
    .map((part) => (Object.hasOwn(IN_CHINESE, part) ? IN_CHINESE[part] : part))
    .join(': ');
}
