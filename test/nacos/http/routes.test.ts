import { describe, expect, it } from 'vitest';
import { nacosRoutes, RouteTable } from '../../../src/nacos/http/routes.ts';
import { emptyNacos } from '../../support/nacos-room.ts';

const routes = nacosRoutes(emptyNacos().rooms);
const table = new RouteTable(routes);

describe('the routes', () => {
  it('are told apart by method and path', () => {
    const names = routes.map(({ method, path }) => `${method} ${path}`);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  it('of the operator have two names each before 3.x, which has but one', () => {
    const earlier = routes.filter(({ path }) => !path.startsWith('/nacos/v3/'));
    const paths = (part: string) => earlier.flatMap(({ path }) => (path.includes(part) ? path.replace(part, '/') : []));
    expect(paths('/ns/ops/')).toEqual(paths('/ns/operator/'));
    expect(paths('/ns/ops/').length).toBeGreaterThan(10);
  });

  it('that change something ask for more than reading', () => {
    const lax = routes.filter(
      ({ method, access }) => !['GET', 'ANY'].includes(method) && ['probe', 'login', 'read'].includes(access),
    );
    expect(lax.map(({ method, path }) => `${method} ${path}`)).toEqual([
      // It computes, and changes nothing.
      'PUT /nacos/v1/ns/service/checksum',
      'POST /nacos/v1/auth/login',
      'POST /nacos/v1/auth/users/login',
      // It listens, as its later names do.
      'POST /nacos/v1/cs/configs/listener',
      'POST /nacos/v2/auth/user/login',
      'POST /nacos/v2/cs/config/listener',
      'POST /nacos/v3/auth/user/login',
      'POST /nacos/v3/admin/cs/config/listener',
    ]);
  });

  it.each([
    ['GET', '/nacos/v1/ns/instance/list', '/nacos/v1/ns/instance/list', undefined],
    ['HEAD', '/nacos/v1/ns/instance/list/', '/nacos/v1/ns/instance/list', undefined],
    ['POST', '/nacos/v1/ns/instance/statuses', '/nacos/v1/ns/instance/statuses', undefined],
    ['GET', '/nacos/v2/ns/instance/statuses/G%40%40a', '/nacos/v2/ns/instance/statuses/*', 'G@@a'],
    ['GET', '/nacos/v2/ns/instance/statuses/%zz', '/nacos/v2/ns/instance/statuses/*', '%zz'],
  ])('%s %s is found', (method, asked, path, key) => {
    const found = table.find(method, asked);
    expect([found?.route.path, found?.key]).toEqual([path, key]);
  });

  it.each([
    ['POST', '/nacos/v1/ns/instance/list'],
    ['GET', '/nacos/v1/ns'],
    ['GET', '/'],
    ['GET', ''],
    ['', '/nacos/v1/ns/instance'],
    ['GET', '/nacos/v1/ns/instance//list'],
  ])('%s %s is not found', (method, path) => {
    expect(table.find(method, path)).toBeUndefined();
  });
});
