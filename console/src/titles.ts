import type { PageName } from './route.ts';
import { words } from './words.ts';

/** What each view is called. */
export const viewTitle: (view: PageName) => string = words({
  en: {
    now: 'Now',
    services: 'Services',
    service: 'Service',
    instance: 'Instance',
    clients: 'Clients',
    client: 'Client',
    events: 'Events',
    name: 'Names',
    pushes: 'Subscribers and pushes',
    server: 'Server',
    login: 'Log in',
    unknown: 'Not found',
  },
  'zh-CN': {
    now: '当前',
    services: '服务',
    service: '服务详情',
    instance: '实例',
    clients: '客户端',
    client: '客户端详情',
    events: '事件',
    name: '名称解析',
    pushes: '订阅者与推送',
    server: '服务器',
    login: '登录',
    unknown: '未找到',
  },
});
