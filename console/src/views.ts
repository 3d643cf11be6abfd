import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import type { ViewName, Views } from '../../src/console/api.ts';
import type { PageName } from './route.ts';

/** What a view is given: all that the bridge has told of it, and its rows in their order. */
export interface ViewProps<V extends ViewName> {
  readonly facts: Views[V]['facts'];
  readonly rows: readonly (Views[V]['row'] & { readonly key: string })[];
}

type Loaders = { readonly [V in ViewName]: () => Promise<ComponentType<ViewProps<V>>> };

/** Each is loaded when it is first gone to. */
const LOADERS: Loaders = {
  now: async () => (await import('./views/now.tsx')).Now,
  services: async () => (await import('./views/services.tsx')).Services,
  service: async () => (await import('./views/service.tsx')).Service,
  instance: async () => (await import('./views/instance.tsx')).Instance,
  clients: async () => (await import('./views/clients.tsx')).Clients,
  client: async () => (await import('./views/client.tsx')).Client,
  events: async () => (await import('./views/events.tsx')).Events,
  name: async () => (await import('./views/name.tsx')).NameView,
  pushes: async () => (await import('./views/pushes.tsx')).Pushes,
  server: async () => (await import('./views/server.tsx')).Server,
};

/** Those that are here. */
export const loaded = signal<Readonly<Record<string, ComponentType<ViewProps<ViewName>>>>>({});
export const isUnloadable = signal(false);

export async function load(view: PageName): Promise<void> {
  if (view === 'login' || view === 'unknown' || loaded.peek()[view]) return;
  try {
    // What a view is given is what was asked for by its name.
    const component = (await LOADERS[view]()) as ComponentType<ViewProps<ViewName>>;
    loaded.value = { ...loaded.peek(), [view]: component };
    isUnloadable.value = false;
  } catch {
    isUnloadable.value = true;
  }
}
