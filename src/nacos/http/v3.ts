import type { Calls } from './calls.ts';
import type { Route } from './route.ts';

/** The calls of version 3: those of clients, those of operators about texts, and what waits for the server to be up. */
export function v3Routes(calls: Calls): readonly Route[] {
  return [...clientRoutes(calls), ...configRoutes(calls)];
}

function clientRoutes({ configsV3, console, instances }: Calls): readonly Route[] {
  return [
    { method: 'POST', path: '/nacos/v3/auth/user/login', call: console.login, reply: 'plain', access: 'login' },
    { method: 'GET', path: '/nacos/v3/admin/core/state/liveness', call: console.livenessV2, reply: 'envelope', access: 'probe' },
    {
      method: 'POST',
      path: '/nacos/v3/client/ns/instance',
      call: instances.registerOrBeatV3,
      reply: 'envelope',
      access: 'write',
    },
    { method: 'DELETE', path: '/nacos/v3/client/ns/instance', call: instances.deregister, reply: 'envelope', access: 'write' },
    { method: 'GET', path: '/nacos/v3/client/ns/instance/list', call: instances.listV3, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v3/client/cs/config', call: configsV3.get, reply: 'plain', access: 'read' },
  ];
}

/** The configuration service, for operators. */
function configRoutes({ configs, configsV3: v3 }: Calls): readonly Route[] {
  return [
    { method: 'GET', path: '/nacos/v3/admin/cs/config', call: v3.show, reply: 'envelope', access: 'read' },
    { method: 'POST', path: '/nacos/v3/admin/cs/config', call: v3.publish, reply: 'envelope', access: 'write', body: 'texts' },
    { method: 'DELETE', path: '/nacos/v3/admin/cs/config', call: v3.remove, reply: 'envelope', access: 'write' },
    { method: 'DELETE', path: '/nacos/v3/admin/cs/config/batch', call: v3.removeBatch, reply: 'envelope', access: 'write' },
    { method: 'GET', path: '/nacos/v3/admin/cs/config/list', call: v3.list, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v3/admin/cs/config/listener', call: v3.listenersOf, reply: 'envelope', access: 'read' },
    // PHP's clients, which read the answer of 1.x here.
    {
      method: 'POST',
      path: '/nacos/v3/admin/cs/config/listener',
      call: configs.listen,
      reply: 'plain',
      access: 'read',
      body: 'texts',
    },
    { method: 'GET', path: '/nacos/v3/admin/cs/listener', call: v3.listenedFrom, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v3/admin/cs/history/list', call: v3.historyPage, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v3/admin/cs/history', call: v3.historyEntry, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v3/admin/cs/history/previous', call: v3.historyEntry, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v3/admin/cs/history/configs', call: v3.names, reply: 'envelope', access: 'read' },
  ];
}
