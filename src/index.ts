/** The public face for programs that embed beatbridge. */
export { OptionsError } from './options.ts';
export { createServer, ListenError, type Listeners, type Server, type ServerOptions, StoreError } from './server/server.ts';
export type { TlsIdentity } from './wire/identity.ts';
