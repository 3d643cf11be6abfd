import { callsOf } from './calls.ts';
import type { HttpRooms, Route } from './route.ts';
import { v1Routes } from './v1.ts';
import { v2Routes } from './v2.ts';
import { v3Routes } from './v3.ts';

/** Every call that is served, version by version. */
export function nacosRoutes(rooms: HttpRooms): readonly Route[] {
  const calls = callsOf(rooms);
  return [...v1Routes(calls), ...v2Routes(calls), ...v3Routes(calls)].flatMap(withBothNames);
}

/** Nacos knows the operator's calls by two names. */
function withBothNames(route: Route): readonly Route[] {
  const path = route.path.replace('/ns/operator/', '/ns/ops/');
  return path === route.path ? [route] : [route, { ...route, path }];
}

/** Finds the route of a request by its method and path. */
export class RouteTable {
  readonly #routes: ReadonlyMap<string, Route>;

  constructor(routes: readonly Route[]) {
    this.#routes = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
  }

  /** HEAD is as good as GET, and a slash at the end is as good as none. `key`: what stands where the path of the route has a `*`. */
  find(method: string, rawPath: string): { readonly route: Route; readonly key?: string } | undefined {
    const path = rawPath.endsWith('/') ? rawPath.slice(0, -1) : rawPath;
    const asked = method === 'HEAD' ? 'GET' : method;
    const route = this.#routes.get(`${asked} ${path}`) ?? this.#routes.get(`ANY ${path}`);
    if (route !== undefined) return { route };
    const last = path.lastIndexOf('/');
    const withKey = this.#routes.get(`${asked} ${path.slice(0, last)}/*`);
    return withKey && { route: withKey, key: unescaped(path.slice(last + 1)) };
  }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
