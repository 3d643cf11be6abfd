import type { Calls } from './calls.ts';
import type { Route } from './route.ts';

/** The calls of version 3 that clients make, and what waits for the server to be up. */
export function v3Routes({ configs, console, instances }: Calls): readonly Route[] {
  return [
    { method: 'POST', path: '/nacos/v3/auth/user/login', call: console.login, reply: 'plain', access: 'open' },
    { method: 'GET', path: '/nacos/v3/admin/core/state/liveness', call: console.ready, reply: 'envelope', access: 'health' },
    {
      method: 'POST',
      path: '/nacos/v3/client/ns/instance',
      call: instances.registerOrBeatV3,
      reply: 'envelope',
      access: 'write',
    },
    { method: 'DELETE', path: '/nacos/v3/client/ns/instance', call: instances.deregister, reply: 'envelope', access: 'write' },
    { method: 'GET', path: '/nacos/v3/client/ns/instance/list', call: instances.listV3, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v3/client/cs/config', call: configs.getV3, reply: 'plain', access: 'read' },
  ];
}
