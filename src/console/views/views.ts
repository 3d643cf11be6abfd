import type { ViewName } from '../api.ts';
import type { View } from '../look.ts';
import { client } from './client.ts';
import { clients } from './clients.ts';
import { events } from './events.ts';
import { instance } from './instance.ts';
import { name } from './name.ts';
import { now } from './now.ts';
import { pushes } from './pushes.ts';
import { server } from './server.ts';
import { service } from './service.ts';
import { services } from './services.ts';

/** Every view there is, by the name by which it is asked for. */
export const VIEWS: Readonly<Partial<Record<ViewName, View>>> = {
  now,
  services,
  service,
  instance,
  clients,
  client,
  events,
  name,
  pushes,
  server,
};
