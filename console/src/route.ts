import { computed, signal } from '@preact/signals';
import type { ViewName } from '../../src/console/api.ts';

/** What stands behind `#` in the address: the whole state of the page, so that a link, a reload and going back show the same. */
export interface Route {
  readonly view: PageName;
  readonly params: Params;
}

/** A view of the bridge, or what the page has by itself. */
export type PageName = ViewName | 'login' | 'unknown';
export type Params = Readonly<Record<string, string>>;

const PATHS = new Map<string, PageName>([
  ['/', 'now'],
  ...(['services', 'service', 'instance', 'clients', 'client', 'events', 'name', 'pushes', 'server', 'login'] as const).map(
    (view): [string, PageName] => [`/${view}`, view],
  ),
]);

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split(/\?(.*)/s);
  const params = Object.fromEntries(new URLSearchParams(query));
  return { view: PATHS.get(path === '' ? '/' : path) ?? 'unknown', params };
}

/** Where a link leads; what is empty is left out, so that the same view has one address. */
export function href(view: PageName, params: Readonly<Record<string, string | number | undefined>> = {}): string {
  const said = Object.entries(params).filter(([, value]) => value !== undefined && value !== '');
  const query = new URLSearchParams(said.map(([key, value]) => [key, String(value)])).toString();
  return `#/${view === 'now' ? '' : view}${query === '' ? '' : `?${query}`}`;
}

const hash = signal(globalThis.location?.hash ?? '');
globalThis.addEventListener?.('hashchange', () => {
  hash.value = location.hash;
});
// Without a hash of its own an entry of the history is not told by `hashchange`, where `replaceState` made it.
globalThis.addEventListener?.('popstate', () => {
  hash.value = location.hash;
});

export const route = computed<Route>(() => parseRoute(hash.value));

/** Goes there: as a step that going back takes back, or with `replace` in the place of this one. */
export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  if (to === location.hash) return;
  if (how === 'push') history.pushState(null, '', to);
  else history.replaceState(null, '', to);
  hash.value = to;
}

export function param(name: string): string {
  return route.value.params[name] ?? '';
}

/** Another search, filter or order; it begins on the first page. Typing replaces, choosing is a step of its own. */
export function setParam(name: string, value: string, how: 'push' | 'replace' = 'replace'): void {
  const { view, params } = route.peek();
  const { page: _, ...others } = params;
  go(href(view, { ...others, [name]: value }), how);
}
