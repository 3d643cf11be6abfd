import type { Calls } from './calls.ts';
import type { Route } from './route.ts';

/** Users, roles and permissions. Version 1 has an envelope of its own about what was done; version 3 the usual one. */
export function userRoutes({ users }: Calls): readonly Route[] {
  const v1 = done(users);
  const admin = { access: 'admin', isWhole: true, isAboutUsers: true } as const;
  const [first, own] = [{ ...admin, access: 'first-admin' } as const, { ...admin, access: 'self' } as const];
  return [
    { method: 'POST', path: '/nacos/v1/auth/users/admin', call: users.createFirst, reply: 'plain', ...first },
    { method: 'POST', path: '/nacos/v1/auth/users', call: v1('create'), reply: 'plain', ...admin },
    { method: 'PUT', path: '/nacos/v1/auth/users', call: v1('changePassword'), reply: 'plain', ...own },
    { method: 'DELETE', path: '/nacos/v1/auth/users', call: v1('drop'), reply: 'plain', ...admin },
    { method: 'GET', path: '/nacos/v1/auth/users', call: users.list, reply: 'plain', ...admin },
    { method: 'GET', path: '/nacos/v1/auth/users/search', call: users.search, reply: 'plain', ...admin },
    { method: 'POST', path: '/nacos/v1/auth/roles', call: v1('grant'), reply: 'plain', ...admin },
    { method: 'DELETE', path: '/nacos/v1/auth/roles', call: v1('revoke'), reply: 'plain', ...admin },
    { method: 'GET', path: '/nacos/v1/auth/roles', call: users.roles, reply: 'plain', ...admin },
    { method: 'GET', path: '/nacos/v1/auth/roles/search', call: users.searchRoles, reply: 'plain', ...admin },
    { method: 'POST', path: '/nacos/v1/auth/permissions', call: v1('permit'), reply: 'plain', ...admin },
    { method: 'DELETE', path: '/nacos/v1/auth/permissions', call: v1('forbid'), reply: 'plain', ...admin },
    { method: 'GET', path: '/nacos/v1/auth/permissions', call: users.permissions, reply: 'plain', ...admin },
    { method: 'POST', path: '/nacos/v3/auth/user/admin', call: users.createFirstV3, reply: 'plain', ...first },
    { method: 'POST', path: '/nacos/v3/auth/user', call: users.create, reply: 'envelope', ...admin },
    { method: 'PUT', path: '/nacos/v3/auth/user', call: users.changePassword, reply: 'envelope', ...own },
    { method: 'DELETE', path: '/nacos/v3/auth/user', call: users.drop, reply: 'envelope', ...admin },
    { method: 'GET', path: '/nacos/v3/auth/user/list', call: users.list, reply: 'envelope', ...admin },
    { method: 'GET', path: '/nacos/v3/auth/user/search', call: users.search, reply: 'envelope', ...admin },
    { method: 'POST', path: '/nacos/v3/auth/role', call: users.grant, reply: 'envelope', ...admin },
    { method: 'DELETE', path: '/nacos/v3/auth/role', call: users.revoke, reply: 'envelope', ...admin },
    { method: 'GET', path: '/nacos/v3/auth/role/list', call: users.roles, reply: 'envelope', ...admin },
    { method: 'GET', path: '/nacos/v3/auth/role/search', call: users.searchRoles, reply: 'envelope', ...admin },
    { method: 'POST', path: '/nacos/v3/auth/permission', call: users.permit, reply: 'envelope', ...admin },
    { method: 'DELETE', path: '/nacos/v3/auth/permission', call: users.forbid, reply: 'envelope', ...admin },
    { method: 'GET', path: '/nacos/v3/auth/permission/list', call: users.permissionsV3, reply: 'envelope', ...admin },
    { method: 'GET', path: '/nacos/v3/auth/permission', call: users.isPermission, reply: 'envelope', ...admin },
  ];
}

/** What was done, as version 1 tells it. */
function done(users: Calls['users']) {
  type Deed = 'create' | 'changePassword' | 'drop' | 'grant' | 'revoke' | 'permit' | 'forbid';
  return (deed: Deed): Route['call'] =>
    async (asked) => ({ code: 200, message: null, data: await users[deed](asked) });
}
