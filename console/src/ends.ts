import { words } from './words.ts';

/** Why a connection has ended, in plain words. */
const t = words({
  en: {
    closed: 'its client closed it',
    reset: 'it broke off, as when a process is killed or a network fails',
    silent: 'nothing was heard of its client, and it did not answer',
    'too-slow': 'its client did not read what was meant for it',
    refused: 'there was no room for it, or for what it sent',
    'login-ended': 'its login had ended',
  },
  'zh-CN': {
    closed: '客户端主动关闭',
    reset: '连接中断，例如进程被杀死或网络故障',
    silent: '长时间没有客户端消息，探测也无应答',
    'too-slow': '客户端未及时读取推送内容',
    refused: '连接数或请求内容超出上限，被拒绝',
    'login-ended': '登录已失效',
  },
});

/** A reason that this page does not know stays as it is. */
export function endWords(reason: string): string {
  // The table answers with nothing for what is not in it.
  return t(reason as Parameters<typeof t>[0]) || reason;
}
