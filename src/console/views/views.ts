import type { ViewName } from '../api.ts';
import type { View } from '../look.ts';
import { events } from './events.ts';
import { name } from './name.ts';
import { now } from './now.ts';
import { service } from './service.ts';
import { services } from './services.ts';

/** Every view there is, by the name by which it is asked for. */
export const VIEWS: Readonly<Partial<Record<ViewName, View>>> = { now, service, services, events, name };
