import type { Source } from '../../registry/changes.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Need } from '../../rights/admission.ts';
import type { UserDesk } from '../../rights/user-desk.ts';
import type { Request } from '../../wire/exchange.ts';
import type { Catalog } from '../catalog.ts';
import type { Clients } from '../clients.ts';
import type { ConfigListeners } from '../config-listeners.ts';
import type { ConfigLimits, Configs } from '../configs.ts';
import type { Durability } from '../durability.ts';
import type { Gate } from '../gate.ts';
import type { Connections } from '../grpc/connections.ts';
import type { Lists } from '../lists.ts';
import type { Namespaces } from '../namespaces.ts';
import type { Naming } from '../naming.ts';
import type { CheckTimes } from '../probing.ts';
import type { Switches } from '../switches.ts';
import type { Pusher } from '../udp/pusher.ts';
import type { Walker, Walks } from '../walks.ts';
import type { LongPolls } from './long-polls.ts';
import type { Params } from './params.ts';

/** One call of the API: where it is, who answers it, how the answer is written, and what one must be allowed for it. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'ANY';
  /** A last `*` is the parameter `key`, and one two words before it the parameter `within`. */
  readonly path: string;
  readonly call: Call;
  readonly reply: Reply;
  readonly access: Need;
  /** It asks for nothing that it could ask its permit of: a right to everything is needed. */
  readonly isWhole?: boolean;
  /** It changes something even when it is asked by GET, as old clients do: pages in browsers may not, since any page can make one GET. */
  readonly changesByGet?: boolean;
  /** Names and passwords in it are not the caller's. */
  readonly isAboutUsers?: boolean;
  /** A body of JSON comes as the parameter `body`; elsewhere it carries nothing. */
  readonly takesJson?: boolean;
  /** `texts`: it may be as long as a text of the configuration service, or the names of very many. */
  readonly body?: 'texts';
}

/** The same, where the call asks its permit of nothing. */
export function whole(route: Route): Route {
  return { ...route, isWhole: true };
}

/** Answers data, now or later; an error is a `RequestError`. */
export type Call = (asked: Asked) => Data | Answer | Promise<Data | Answer>;

/** What is said in an answer: a `Written` is JSON as it is, a `Long` is to be JSON, and any string is text. */
export type Data = string | object | number | boolean | null;

/** Data that have headers of their own, or another status than 200: that no client of Nacos takes for success. */
export class Answer {
  readonly data: Data;
  readonly headers: Readonly<Record<string, string>>;
  readonly status: number;

  constructor(data: Data, headers: Readonly<Record<string, string>>, status = 200) {
    this.data = data;
    this.headers = headers;
    this.status = status;
  }
}

/**
 * `plain`: text as it is and anything else as JSON; errors are plain text. `envelope`: `{code, message, data}`, errors too.
 */
export type Reply = 'plain' | 'envelope';

/** What is asked, once the wire is out of the way. */
export interface Asked {
  readonly params: Params;
  /** A header by its name in lower case, undefined when there is none. */
  readonly header: (name: string) => string | undefined;
  readonly caller: Caller;
  /** For who has to know how it came. */
  readonly request: Request;
  /** How the client calls itself, in full. It decides over wording, never over rights. */
  readonly agent: string;
  /** On whose word the registry changes. */
  readonly by: Source;
  /** Where the request arrived, `IP:PORT`. */
  readonly local: string;
}

/** Who waits for an answer that comes later. */
export interface Caller extends Walker {
  /** Whether it could be answered now, and has not asked earlier over the same connection what is not answered yet. */
  readonly isNext: boolean;
  /** Calls `run` when it has left, or has been answered. Of one that is not next nobody is told that it has left. */
  readonly onLeave: (run: () => void) => void;
}

/** What the calls work on. */
export interface HttpRooms {
  readonly registry: Registry;
  readonly gate?: Gate | undefined;
  readonly desk?: UserDesk | undefined;
  readonly durability: Durability;
  readonly naming: Naming;
  readonly lists: Lists;
  readonly catalog: Catalog;
  readonly namespaces: Namespaces;
  readonly switches: Switches;
  /** False when an operator has said that the server is down, and while it drains. */
  readonly isReady: () => boolean;
  /** Undefined where nothing is checked. */
  readonly checkTimes: CheckTimes | undefined;
  readonly clients: Clients;
  readonly configs: Configs;
  readonly configListeners: ConfigListeners;
  readonly longPolls: LongPolls;
  readonly limits: HttpLimits;
  readonly pusher: Pusher;
  readonly connections: Connections;
  /** For what takes several turns. */
  readonly walks: Walks;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
  /** Whether pushes go to the address that a client names, instead of the one that its request came from. */
  readonly pushToClientIp: boolean;
}

/** What bounds single calls. */
export interface HttpLimits extends Pick<ConfigLimits, 'maxConfigBytes'> {
  /** For how long a caller may wait for a text to change. */
  readonly maxLongPollMs: number;
  /** Texts that one request may listen to. */
  readonly maxListenedConfigs: number;
  /** Of all texts in one page. */
  readonly maxConfigPageBytes: number;
}

/** What Nacos answers where there is nothing else to say. */
export const OK = 'ok';
