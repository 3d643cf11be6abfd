import type { ViewName } from '../api.ts';
import type { View } from '../look.ts';
import { client } from './client.ts';
import { clients } from './clients.ts';
import { instance } from './instance.ts';
import { now } from './now.ts';
import { pushes } from './pushes.ts';
import { services } from './services.ts';

/** Every view there is, by the name by which it is asked for. */
export const VIEWS: Readonly<Partial<Record<ViewName, View>>> = { now, services, instance, clients, client, pushes };
