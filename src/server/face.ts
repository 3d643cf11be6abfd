import { type EmbeddedEvents, embeddedEvents } from '../events/embedded.ts';
import { type EmbeddedHealth, embeddedHealth } from '../health/embedded.ts';
import { type EmbeddedRegistry, embeddedRegistry } from '../nacos/embedded.ts';
import { badInput } from '../wire/refused-error.ts';
import type { House } from './house.ts';
import type { Rooms } from './rooms.ts';

/** What the rooms are to the program that embeds a server, beside what they are to the network. */
export interface Face {
  /** What is registered, and to register. */
  readonly registry: EmbeddedRegistry;
  /** Check, Watch and List. */
  readonly health: EmbeddedHealth;
  /**
   * Calls the listener with each record of what happens from now on, in order, as `/events` tells it, at the end of the turn of the event
   * loop in which it has happened. One that throws, or rejects, is logged and hurts nobody. The answer ends it.
   */
  readonly on: (what: 'event', listener: Parameters<EmbeddedEvents>[0]) => () => void;
}

export function faceOf({ log, shutdown }: House, { nacos, health, events }: Rooms): Face {
  const onEvent = embeddedEvents(events.history, (err) => log.error({ err }, "a listener of server.on('event') failed"));
  return {
    registry: embeddedRegistry(nacos.rooms),
    health: embeddedHealth(health, shutdown.signal),
    on: (what, listener) => {
      if (what !== 'event') throw badInput('what is listened to must be "event"', what);
      return onEvent(listener);
    },
  };
}

export type { EventCause } from '../events/record.ts';
export type { AffectedView, EventView } from '../events/view.ts';
export type { HealthStatus } from '../health/embedded.ts';
export type { InstanceInput, InstanceView, ServiceReference, ServiceView } from '../nacos/embedded.ts';
export type { EmbeddedHealth, EmbeddedRegistry };
