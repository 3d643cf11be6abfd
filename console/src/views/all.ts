import type { ComponentType } from 'preact';
import type { ViewName } from '../../../src/console/api.ts';
import type { ViewProps } from '../views.ts';
import { Client } from './client.tsx';
import { Clients } from './clients.tsx';
import { Events } from './events.tsx';
import { Instance } from './instance.tsx';
import { NameView } from './name.tsx';
import { Now } from './now.tsx';
import { Pushes } from './pushes.tsx';
import { Server } from './server.tsx';
import { Service } from './service.tsx';
import { Services } from './services.tsx';

/** Every view, by its name: they say much alike, and are smaller together than one by one. */
export const VIEWS: { readonly [V in ViewName]: ComponentType<ViewProps<V>> } = {
  now: Now,
  services: Services,
  service: Service,
  instance: Instance,
  clients: Clients,
  client: Client,
  events: Events,
  name: NameView,
  pushes: Pushes,
  server: Server,
};
