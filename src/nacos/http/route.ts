import type { Source } from '../../registry/changes.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Catalog } from '../catalog.ts';
import type { Clients } from '../clients.ts';
import type { ConfigLimits, Configs } from '../configs.ts';
import type { Connections } from '../grpc/connections.ts';
import type { Namespaces } from '../namespaces.ts';
import type { Naming } from '../naming.ts';
import type { Switches } from '../switches.ts';
import type { Pusher } from '../udp/pusher.ts';
import type { Params } from './params.ts';

/** One call of the API: where it is, who answers it, how the answer is written, and what one must be allowed for it. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'ANY';
  /** A last `*` is the parameter `key`. */
  readonly path: string;
  readonly call: Call;
  readonly reply: Reply;
  readonly access: Access;
  /** A body of JSON comes as the parameter `body`; elsewhere it carries nothing. */
  readonly takesJson?: boolean;
}

/** Answers data; an error is a `RequestError`. */
export type Call = (asked: Asked) => string | object | number | boolean | null;

/**
 * `plain`: text as it is and anything else as JSON; errors are plain text. `envelope`: `{code, message, data}`, errors too.
 */
export type Reply = 'plain' | 'envelope';

/** Not enforced yet. `health`: whether the server is up; `open`: what comes before a login. */
export type Access = 'read' | 'write' | 'admin' | 'health' | 'open';

/** What is asked, once the wire is out of the way. */
export interface Asked {
  readonly params: Params;
  /** How the client calls itself, in full. It decides over wording, never over rights. */
  readonly agent: string;
  /** On whose word the registry changes. */
  readonly by: Source;
  /** Where the request arrived, `IP:PORT`. */
  readonly local: string;
}

/** What the calls work on. */
export interface HttpRooms {
  readonly registry: Registry;
  readonly naming: Naming;
  readonly catalog: Catalog;
  readonly namespaces: Namespaces;
  readonly switches: Switches;
  readonly clients: Clients;
  readonly configs: Configs;
  readonly pusher: Pusher;
  readonly connections: Connections;
  readonly limits: Pick<ConfigLimits, 'maxConfigBytes'>;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
  /** Whether pushes go to the address that a client names, instead of the one that its request came from. */
  readonly pushToClientIp: boolean;
}

/** What Nacos answers where there is nothing else to say. */
export const OK = 'ok';
