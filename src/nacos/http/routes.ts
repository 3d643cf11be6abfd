import { callsOf } from './calls.ts';
import type { HttpRooms, Route } from './route.ts';
import { v1Routes } from './v1.ts';
import { v2Routes } from './v2.ts';
import { v3Routes } from './v3.ts';
import { v3AdminRoutes } from './v3-admin.ts';

/** Every call that is served, version by version. */
export function nacosRoutes(rooms: HttpRooms): readonly Route[] {
  const calls = callsOf(rooms);
  return [...v1Routes(calls), ...v2Routes(calls), ...v3Routes(calls), ...v3AdminRoutes(calls)].flatMap(withBothNames);
}

/** Nacos knows the operator's calls by two names. */
function withBothNames(route: Route): readonly Route[] {
  const path = route.path.replace('/ns/operator/', '/ns/ops/');
  return path === route.path ? [route] : [route, { ...route, path }];
}

/** Finds the route of a request by its method and path. */
export class RouteTable {
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #paths: ReadonlySet<string>;

  constructor(routes: readonly Route[]) {
    this.#routes = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
    this.#paths = new Set(routes.map(({ path }) => path));
  }

  /** Whether the path is served for any method. */
  serves(rawPath: string): boolean {
    return this.#paths.has(withoutSlash(rawPath));
  }

  /** HEAD is as good as GET, and a slash at the end is as good as none. `key`: what stands where the path of the route has a `*`. */
  find(method: string, rawPath: string): { readonly route: Route; readonly key?: string } | undefined {
    const path = withoutSlash(rawPath);
    const asked = method === 'HEAD' ? 'GET' : method;
    const route = this.#routes.get(`${asked} ${path}`) ?? this.#routes.get(`ANY ${path}`);
    if (route !== undefined) return { route };
    const last = path.lastIndexOf('/');
    const withKey = this.#routes.get(`${asked} ${path.slice(0, last)}/*`);
    return withKey && { route: withKey, key: unescaped(path.slice(last + 1)) };
  }
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
