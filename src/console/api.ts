/**
 * What the page and the server say to each other, as types alone: the page is built from its own sources, and imports nothing else of the
 * server. Times are milliseconds since 1970 by the server's clock. What is not known, or not for this reader, is left out.
 *
 * `GET console/api/session` answers with a `Session`, `GET console/api/snapshot?view=…` with a `Snapshot`, and
 * `GET console/api/stream?view=…` with server-sent events, which begin with the whole view:
 * - `event: view`, a `Delta`: what has changed on the screen, and no more often than a few times a second;
 * - `event: happened`, an `EventLine`, with the number of the event as its id, where the view shows events as they happen;
 * - `event: missed`, a `Missed`: so many events are no longer kept, or could not be told in time;
 * - `event: over`, an `Over`: the stream ends, and coming back at once is of no use.
 * Each has an `id:`, with which (`Last-Event-ID`) a page that has lost its connection goes on.
 */

/** Which part of the bridge is on the screen. What of it, `ViewQuery` says. */
export type ViewName = keyof Views;

/** By view: what stands on the screen once, and what stands there in rows. */
export interface Views {
  readonly now: { readonly facts: NowFacts; readonly row: FailingService };
  readonly services: { readonly facts: ServicesFacts; readonly row: ServiceRow };
  readonly service: { readonly facts: ServiceFacts; readonly row: InstanceRow };
  readonly instance: { readonly facts: InstanceFacts; readonly row: never };
  readonly clients: { readonly facts: ClientsFacts; readonly row: ClientRow };
  readonly client: { readonly facts: ClientFacts; readonly row: never };
  readonly events: { readonly facts: EventsFacts; readonly row: never };
  readonly name: { readonly facts: NameFacts; readonly row: never };
  readonly pushes: { readonly facts: PushesFacts; readonly row: SubscriberRow };
  readonly server: { readonly facts: ServerFacts; readonly row: never };
}

/** A view as a whole. */
export interface Snapshot<V extends ViewName = ViewName> {
  readonly facts: Views[V]['facts'];
  readonly rows: readonly (Views[V]['row'] & Keyed)[];
  /** The number of the last event that is in it. */
  readonly seq: number;
}

/** Tells the rows of one view apart. */
export interface Keyed {
  readonly key: string;
}

/** What of a view is another now. */
export interface Delta<V extends ViewName = ViewName> {
  /** It is all there is: what was shown before is to be forgotten. */
  readonly whole?: true;
  /** Those that have changed; null: there is none any more. */
  readonly facts?: { readonly [Name in keyof Views[V]['facts']]?: Views[V]['facts'][Name] | null };
  /** Rows that are new, or have changed. */
  readonly rows?: readonly (Views[V]['row'] & Keyed)[];
  /** The keys of all rows in their order, where that has changed: what is not named is gone. */
  readonly order?: readonly string[];
  /** How many services do not serve of all that this reader may see, where that has changed: for the title, whatever is on the screen. */
  readonly notServing?: number;
}

export interface Missed {
  /** Left out where nobody can know. */
  readonly count?: number;
}

export interface Over {
  /** `refused`: what was asked for, or its login, is no longer enough; `draining`: the bridge is about to end. */
  readonly reason: 'refused' | 'draining';
  readonly says?: string;
}

/** Who looks, and what he may. */
export interface Session {
  readonly version: string;
  /** Another one is another process. */
  readonly bridge: string;
  readonly startedAt: number;
  /** The time by the server's clock, as it answers. */
  readonly now: number;
  /** Whether people log in here at all. */
  readonly auth: boolean;
  /** Who has logged in. */
  readonly user?: string;
  /** Somewhere at least; what a part of it allows, the view of that part says. */
  readonly mayRead: boolean;
  readonly mayOperate: boolean;
  readonly isAdmin: boolean;
  /** Why not, in a line, where he may not read. */
  readonly reason?: string;
  /** To be sent back as `X-Console-Token` with whatever changes something. */
  readonly token: string;
}

/** `POST console/api/login` takes it, and answers with a `Login`. */
export interface LoginAsked {
  readonly username: string;
  readonly password: string;
}

export interface Login {
  /** To be sent along as `Authorization: Bearer …`. */
  readonly accessToken: string;
  readonly user: string;
  /** In seconds. */
  readonly ttl: number;
}

/** What any refusal answers, beside its status. */
export interface Refused {
  readonly reason: string;
}

/** As health tells it. */
export type Status = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

export interface ServiceRef {
  readonly namespace: string;
  readonly group: string;
  readonly service: string;
}

export interface AddressRef {
  readonly ip: string;
  readonly port: number;
}

export interface InstanceRef extends ServiceRef, AddressRef {}

/** On whose word something has happened. */
export interface By {
  readonly peer?: string;
  readonly agent?: string;
  readonly user?: string;
  readonly connection?: string;
}

/** An event as `/events` tells it. */
export interface EventLine {
  readonly seq: number;
  /** In ISO 8601. */
  readonly at: string;
  readonly kind: 'instance' | 'service' | 'registry' | 'bridge';
  readonly cause: string;
  readonly namespace?: string;
  readonly group?: string;
  readonly service?: string;
  readonly instances?: readonly EventSubject[];
  readonly count?: number;
  readonly from?: string;
  readonly to?: string;
  readonly by?: By;
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
  readonly counts?: { readonly available: number; readonly total: number; readonly needed: number };
}

export interface EventSubject extends AddressRef {
  readonly cluster?: string;
  readonly ephemeral?: boolean;
  /** In ISO 8601. */
  readonly lastBeatAt?: string;
  readonly heardFrom?: string;
  readonly client?: string;
  readonly intervalMs?: number;
}

/** One that cannot be called, or has gone lately, as `/health/NAME` tells it: its times in ISO 8601. */
export interface FailingInstance extends InstanceRef {
  readonly cause: string;
  readonly since?: string;
  readonly lastBeatAt?: string;
  readonly heardFrom?: string;
  readonly client?: string;
  readonly intervalMs?: number;
  readonly reason?: string;
  readonly until?: string;
  readonly by?: By;
}

/** A service in a list. */
export interface ServiceRow extends ServiceRef {
  readonly status: Status;
  readonly available: number;
  readonly total: number;
  readonly needed: number;
  readonly healthy: number;
  /** Since when it has this status, and by which cause. */
  readonly since?: number;
  readonly cause?: string;
  /** Who is told of it: watches of health, and subscribers of Nacos. */
  readonly watchers: number;
  readonly subscribers: number;
  /** The last hour: from when on it had which status, the oldest first, which may be older; what was before the first nobody knows. */
  readonly hour: readonly (readonly [from: number, status: Status])[];
}

/** One that is not SERVING, with who fails. */
export interface FailingService extends ServiceRow {
  readonly because?: string;
  /** The first few of them. */
  readonly failing: readonly FailingInstance[];
  readonly failingCount: number;
}

export interface NowFacts {
  readonly tiles: Tiles;
  /** Of each second the beats that came and that were to be expected: whole minutes, and the one that is not over. */
  readonly beats: Beats;
  readonly lastBeats: Beats;
  /** For who may see everything; for anybody else there are none. */
  readonly banners: readonly Banner[];
  /** Of services that do not serve, the first of which are the rows. */
  readonly failingCount: number;
  /** Those that serve again since a few minutes, the last first. */
  readonly recovered: readonly Recovered[];
  /** The last that happened, the oldest first: told once, what happens from then on comes by itself. */
  readonly latest: readonly EventLine[];
}

export interface Recovered extends ServiceRef {
  readonly at: number;
  readonly cause: string;
  /** From when on it did not serve, as far as that is still known. */
  readonly since?: number;
}

export interface Tiles {
  readonly serving: number;
  readonly notServing: number;
  readonly instances: number;
  readonly healthy: number;
  readonly available: number;
  /** Instances that live by beats, as those of clients of Nacos 1.x do, and clients of 2.x, who are connected. */
  readonly clients1?: number;
  readonly clients2?: number;
  readonly watches?: number;
  readonly subscribers?: number;
}

/** Beats a second since somebody looks, the oldest first; the last ten minutes at most. */
export type Beats = readonly (readonly [at: number, received: number, expected: number])[];

/** What is to be known before anything else; its words are the page's. */
export interface Banner {
  readonly kind:
    | 'stalled'
    | 'remembered'
    | 'mass-silence'
    | 'mass-loss'
    | 'limit'
    | 'certificate'
    | 'certificate-refused'
    | 'store'
    | 'draining'
    | 'webhooks'
    | 'unreadable-users';
  readonly level: 'info' | 'warn' | 'error';
  readonly since?: number;
  readonly until?: number;
  /** How long it lasted. */
  readonly forMs?: number;
  readonly count?: number;
  /** Which limit, which certificate, what is wrong: a text of the server's. */
  readonly what?: string;
  readonly used?: number;
  readonly most?: number;
}

export interface ServicesFacts {
  /** So many are found, of how many there are. */
  readonly found: number;
  readonly all: number;
  readonly serving: number;
  readonly notServing: number;
  readonly page: number;
  readonly pages: number;
  readonly namespaces: readonly string[];
  readonly groups: readonly string[];
}

export interface ServiceFacts {
  /** Null: it is not known, or not for this reader. */
  readonly service: ServiceRow | null;
  readonly because: string | null;
  /** What is told in so many milliseconds, if it lasts. */
  readonly pending: { readonly status: Status; readonly at: number } | null;
  readonly failing: readonly FailingInstance[];
  readonly failingCount: number;
  /** The last of it, the oldest first; of one that is not known any more, as far as it is among the last of all. */
  readonly events: readonly EventLine[];
  readonly settings: ServiceSettings | null;
  /** Who is told of it as a client of Nacos. */
  readonly subscribers: { readonly count: number; readonly first: readonly SubscriberRow[] };
  /** Who watches it as health, those alike as one. */
  readonly watchers: { readonly count: number; readonly first: readonly WatcherRow[] };
  readonly page: number;
  readonly pages: number;
  /** How it is asked for; null: not all ports are open yet. */
  readonly asking: Asking | null;
  readonly mayOperate: boolean;
  /** It was created, and may be deleted while it has no instances. */
  readonly isCreated: boolean;
}

export interface ServiceSettings {
  /** `2`, or `50%`. */
  readonly minAvailable?: string;
  readonly protectThreshold?: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** By what name, and where. */
export interface Asking {
  /** Its shortest health name. */
  readonly name: string;
  /** `HOST:PORT` as the bridge listens; a host that is every address is left to the page, which knows how it got here. */
  readonly main: string;
  readonly health: string;
  readonly tls?: string;
  /** Which of them speak nothing but TLS: all but the one for health alone, or all. */
  readonly tlsOnly: 'none' | 'nacos' | 'all';
  /** Health is asked for with a login. */
  readonly needsLogin: boolean;
}

export interface WatcherRow {
  readonly name: string;
  readonly ip: string;
  /** How many it has open. */
  readonly count: number;
}

export interface InstanceRow extends AddressRef {
  readonly cluster: string;
  readonly healthy: boolean;
  readonly enabled: boolean;
  readonly weight: number;
  readonly available: boolean;
  /** What keeps it alive. */
  readonly kind: 'beat' | 'connection' | 'persistent';
  /** The client that holds it. */
  readonly connection?: string;
  readonly lastBeatAt?: number;
  readonly intervalMs?: number;
  /** When it will be unhealthy, and gone, if nothing is heard of it. */
  readonly unhealthyAt?: number;
  readonly removedAt?: number;
  readonly unhealthyAfterMs: number;
  readonly removedAfterMs: number;
  readonly heardFrom?: string;
  readonly client?: string;
  /** As it was before a restart, and not heard of since. */
  readonly remembered?: true;
  /** What its check has found, if that is not that all is well. */
  readonly trouble?: { readonly type: string; readonly verdict: string; readonly reason: string };
  /** What of it is an operator's word. */
  readonly edit?: Edit;
  /** What its client has said, where an edit lies over it. */
  readonly registered?: {
    readonly enabled: boolean;
    readonly weight: number;
    readonly metadata: Readonly<Record<string, string>>;
  };
  readonly drain?: { readonly reason: string; readonly since: number; readonly until: number; readonly by?: By };
  readonly metadata: Readonly<Record<string, string>>;
  /** Why it cannot be called, and since when. */
  readonly cause?: string;
  readonly since?: number;
}

/** What operators have laid over what a client says; null takes a key away. */
export interface Edit {
  readonly enabled?: boolean;
  readonly weight?: number;
  readonly metadata?: Readonly<Record<string, string | null>>;
}

export interface InstanceFacts {
  /** Null: it is not there, or not for this reader. */
  readonly instance: InstanceRow | null;
  readonly service: ServiceRow | null;
  /** When it was heard lately, since somebody looks: the oldest first. */
  readonly beats: readonly number[];
  /** The last about it, the oldest first. */
  readonly events: readonly EventLine[];
  /** Every other service that has this address, or the first of very many. */
  readonly elsewhere: readonly (ServiceRef & Pick<InstanceRow, 'healthy' | 'available'>)[];
  readonly ifStopped: IfStopped | null;
  readonly mayOperate: boolean;
}

/** What would happen if nothing were heard of it from now on. */
export interface IfStopped {
  /** In milliseconds from its last sign of life; 0: at once, as its connection ends; left out: never, as only its check takes it out. */
  readonly unhealthyAfterMs?: number;
  readonly removedAfterMs?: number;
  /** Of the service, without it. */
  readonly available: number;
  readonly needed: number;
  readonly status: Status;
  readonly watchers: number;
  readonly subscribers: number;
}

export interface ClientsFacts {
  readonly found: number;
  readonly connections: number;
  readonly addresses: number;
  readonly page: number;
  readonly pages: number;
  /** The last whose connection ended and took instances along, the last first. */
  readonly ended: readonly EventLine[];
  /** How many connections have ended since the start, by why they did. */
  readonly endedBy?: Readonly<Record<string, number>>;
}

export interface ClientRow {
  readonly id: string;
  /** Of Nacos 2.x and 3.x; or who beats, listens or is persistent at an address, as those of 1.x. */
  readonly kind: 'connection' | 'address';
  readonly ip: string;
  readonly port: number;
  readonly client?: string;
  readonly app?: string;
  readonly since?: number;
  /** Instances that it has registered, and services that it has subscribed to. */
  readonly registered: number;
  readonly subscribed: number;
}

export interface ClientFacts {
  readonly client: ClientRow | null;
  readonly labels: Readonly<Record<string, string>>;
  /** These two are the first of very many; how many there are, `client` says. */
  readonly registered: readonly (InstanceRef & Pick<InstanceRow, 'healthy' | 'available'>)[];
  readonly subscribed: readonly ServiceRef[];
  /** How it ended, where it has; what it held then is in `events`. */
  readonly ended: EventLine | null;
  /** The last that happened on its word or at its address, the oldest first. */
  readonly events: readonly EventLine[];
}

export interface EventsFacts {
  /** The last that are kept and asked for, the oldest first; what happens from then on comes by itself. */
  readonly events: readonly EventLine[];
  /** So many of them at most. */
  readonly most: number;
  /** Every cause there is. */
  readonly causes: readonly string[];
}

export interface NameFacts {
  readonly name: string;
  /** Why it is none, as health refuses it. */
  readonly fault: string | null;
  readonly status: Status | null;
  /** How it reads. */
  readonly read: {
    readonly isBridge: boolean;
    readonly namespace?: string;
    readonly group?: string;
    readonly service?: string;
    readonly cluster?: string;
    readonly instance?: string;
    readonly dubbo?: { readonly interface: string; readonly group?: string; readonly version?: string };
  } | null;
  /** By what it is found: as a name of Nacos, a key of Dubbo's, or an interface that applications offer; null: that is not for this reader. */
  readonly by: 'bridge' | 'service' | 'dubbo' | 'application' | 'none' | null;
  /** The first of them. */
  readonly means: readonly ServiceRow[];
  readonly meansCount: number;
  /** Names that are known and like it. */
  readonly like: readonly string[];
  /** How it is asked for; null: it is none, or not all ports are open yet. */
  readonly asking: Asking | null;
}

export interface PushesFacts {
  readonly found: number;
  readonly page: number;
  readonly pages: number;
  readonly overConnections: PushCounts;
  readonly byDatagrams: PushCounts;
}

export interface PushCounts {
  readonly subscribers: number;
  /** Since the start; what became of the rest is not known yet. */
  readonly sent?: number;
  readonly acknowledged?: number;
  readonly failed?: number;
}

export interface SubscriberRow extends ServiceRef {
  readonly clientId: string;
  readonly ip: string;
  readonly port: number;
  readonly client?: string;
  readonly app?: string;
  readonly by: 'connection' | 'datagrams';
}

/**
 * For who may see everything: it is what `/readyz?verbose` and `/metrics` tell him. What these do not tell, the options with their paths,
 * where the store is and on what machine, is for who may operate everything. For anybody else there is nothing.
 */
export interface ServerFacts {
  readonly process: {
    readonly version: string;
    readonly node: string;
    readonly startedAt: number;
    readonly memoryBytes: number;
    readonly pid?: number;
    readonly host?: string;
  } | null;
  readonly listeners: Readonly<Record<string, string>>;
  readonly parts: readonly { readonly name: string; readonly ok: boolean; readonly says: string }[];
  readonly limits: readonly { readonly name: string; readonly used: number; readonly most: number; readonly option?: string }[];
  readonly refused: readonly (readonly [reason: string, count: number])[];
  /** Null: they are not for this reader. */
  readonly options: readonly OptionRow[] | null;
  /** Null: nothing is kept. */
  readonly store: { readonly directory?: string; readonly trouble?: string } | null;
  /** Null: no TLS is spoken. */
  readonly certificate: { readonly subject: string; readonly until: number; readonly ok: boolean; readonly says: string } | null;
  /** Others that this one works with; none where it works alone. */
  readonly replicas: readonly string[];
}

export interface OptionRow {
  readonly flag: string;
  /** As one would write it; secrets are hidden. */
  readonly value: string;
  /** Where it comes from: the command line, the environment, a file, or nowhere. */
  readonly source: 'flag' | 'env' | 'file' | 'default' | 'program';
  readonly help: string;
}

/** `POST console/api/act` takes one, and answers with `Done`. */
export type Action =
  | (InstanceRef & { readonly do: 'disable' | 'enable'; readonly reason?: string })
  | (InstanceRef & { readonly do: 'weight'; readonly weight: number })
  /** Key by key; null takes one away. */
  | (InstanceRef & { readonly do: 'metadata'; readonly metadata: Readonly<Record<string, string | null>> })
  /** All that operators have laid over it ends. */
  | (InstanceRef & { readonly do: 'unedit' })
  /** What is laid over it: these parts are so, and those that are named by `ended` (`enabled`, `weight`, `metadata.KEY`) end. */
  | (InstanceRef & { readonly do: 'edit'; readonly edit: Edit; readonly ended: readonly string[] })
  | (InstanceRef & { readonly do: 'deregister' })
  /** `forMs`: how long; in this service alone, or with `everywhere` in all that have the address. */
  | (InstanceRef & { readonly do: 'drain'; readonly forMs: number; readonly reason?: string; readonly everywhere?: boolean })
  | (InstanceRef & { readonly do: 'resume'; readonly everywhere?: boolean })
  | (ServiceRef & { readonly do: 'create-service' })
  | (ServiceRef & { readonly do: 'delete-service' });

export interface Done {
  readonly ok: true;
  /** What takes it back, where something does. */
  readonly undo?: Action;
  /** It is in force, but would not survive a restart: why. */
  readonly warning?: string;
}
