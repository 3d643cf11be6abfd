/** The public face for programs that embed beatbridge. `docs/embedding.md` says what each of these is. */
export { OptionsError } from './options.ts';
export {
  type AffectedView,
  createServer,
  type EmbeddedHealth,
  type EmbeddedRegistry,
  type EventCause,
  type EventView,
  type HealthStatus,
  type InstanceInput,
  type InstanceView,
  ListenError,
  type Listeners,
  type Server,
  type ServerOptions,
  type ServiceReference,
  type ServiceView,
  StoreError,
} from './server/server.ts';
export type { Clock } from './wire/clock.ts';
export type { TlsIdentity } from './wire/identity.ts';
export { RefusedError } from './wire/refused-error.ts';
export { createTestClock, type TestClock, type TestClockOptions } from './wire/test-clock.ts';
