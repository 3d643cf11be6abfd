import { callsOf } from './calls.ts';
import type { HttpRooms, Route } from './route.ts';
import { userRoutes } from './user-routes.ts';
import { v1Routes } from './v1.ts';
import { v2Routes } from './v2.ts';
import { v3Routes } from './v3.ts';
import { v3AdminRoutes } from './v3-admin.ts';

/** Every call that is served, version by version. */
export function nacosRoutes(rooms: HttpRooms): readonly Route[] {
  const calls = callsOf(rooms);
  return [...v1Routes(calls), ...v2Routes(calls), ...v3Routes(calls), ...v3AdminRoutes(calls), ...userRoutes(calls)].flatMap(
    withBothNames,
  );
}

/** Nacos knows the operator's calls by two names. */
function withBothNames(route: Route): readonly Route[] {
  const path = route.path.replace('/ns/operator/', '/ns/ops/');
  return path === route.path ? [route] : [route, { ...route, path }];
}

/** Finds the route of a request by its method and path. */
export class RouteTable {
  /** path -> method -> what is found: one object for all requests. */
  readonly #routes = new Map<string, Map<string, Found>>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const methods = this.#routes.get(route.path) ?? new Map<string, Found>();
      this.#routes.set(route.path, methods.set(route.method, { route }));
    }
  }

  /** Whether the path is served for any method. */
  serves(rawPath: string): boolean {
    return this.#routes.has(withoutSlash(rawPath));
  }

  /** HEAD is as good as GET, and a slash at the end is as good as none. */
  find(method: string, rawPath: string): Found | undefined {
    const path = withoutSlash(rawPath);
    const asked = method === 'HEAD' ? 'GET' : method;
    const methods = this.#routes.get(path);
    const found = methods?.get(asked) ?? (ANY.has(asked) ? methods?.get('ANY') : undefined);
    if (found !== undefined) return found;
    const words = path.split('/');
    const key = words.pop() ?? '';
    const withKey = this.#routes.get([...words, '*'].join('/'))?.get(asked);
    if (withKey !== undefined) return { route: withKey.route, key: unescaped(key) };
    const [within = '', word = ''] = words.splice(-2);
    const withBoth = this.#routes.get([...words, '*', word, '*'].join('/'))?.get(asked);
    return withBoth && { route: withBoth.route, key: unescaped(key), within: unescaped(within) };
  }
}

/** Whatever a client asks with. OPTIONS, and what nobody has heard of, get to no handler. */
const ANY: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'DELETE']);

/** What stands where the path of the route has a `*`: its last word, and the one two before it. */
export interface Found {
  readonly route: Route;
  readonly key?: string;
  readonly within?: string;
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
