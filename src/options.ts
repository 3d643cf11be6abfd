/**
 * Every option of the program and every limit, once: what it is called, its default, its bounds and its help. The flag, the variable
 * of the environment, the key of the file, the check, the words of a fault, the schema for editors and the types of `createServer` all
 * come from the one row, so that a new option is one row more. Nothing is read here but what it is handed, and no value is used.
 */

import { isHostName, isOrigin } from './access/browsers.ts';
import { partsOf, trustFaults } from './access/places.ts';
import { opennessFaults } from './access/policy.ts';
import { LEAST_TTL_SECONDS, MOST_TTL_SECONDS } from './access/tokens.ts';
import { CAUSES } from './events/causes.ts';
import { areWebhooks, listed } from './events/webhooks/address.ts';
import { KINDS } from './events/webhooks/choice.ts';
import { parseMinAvailable } from './registry/available.ts';
import { DEFAULT_MEMORY } from './registry/options.ts';
import { suggestion } from './suggestion.ts';
import { AddressSet } from './wire/addresses.ts';
import { HTTP2_LIMITS } from './wire/http2/limits.ts';
import { haveTls13, unknownCiphers } from './wire/identity.ts';

/** What a value may be: one of the words, a whole number from `least` to `most`, or a text that fits or has the pattern. */
export interface Bounds {
  readonly words?: readonly (string | boolean)[];
  readonly least?: number;
  readonly most?: number;
  readonly fits?: (text: string) => boolean;
  readonly pattern?: RegExp;
  /** Completes "port must be …", where words and numbers do not say it by themselves. */
  readonly says?: string;
}

interface Row extends Bounds {
  readonly default: string | number | boolean;
  /** The default for embedders, where it is another. */
  readonly embedded?: string | number;
  /** What stands for the value in the help: a unit, or what kind of thing it is. */
  readonly unit: string;
  readonly help: string;
  /** Whether it guards the bridge rather than saying what it does. */
  readonly limit?: true;
  /** What an embedder gives in its place: files, and where logs go, are the affair of the process. */
  readonly instead?: 'tls' | 'log';
  /** Several, with commas between: a flag that is given more than once adds to what it was given before. */
  readonly list?: true;
  /** Never shown: neither in a fault nor where options are printed. */
  readonly secret?: true;
}

const LOG_FORMATS = ['auto', 'json', 'pretty'] as const;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const PORT = { unit: 'port', least: 0, most: 65_535 } as const;
const FILE = { unit: 'file', fits: () => true, says: 'a file' } as const;
const SWITCH = { unit: 'true|false', words: [true, false], default: false } as const;
const ADDRESSES = {
  unit: 'addresses',
  default: '',
  fits: (text: string) => trustFaults(partsOf(text)).length === 0,
  list: true,
  says: 'addresses, CIDRs of at most a /8 (IPv6: a /7), or the words loopback, private, link-local, with commas between',
} as const;
/** Of what is measured rather than counted. */
const IN_UNITS: Readonly<Record<string, string>> = {
  ms: ', in milliseconds',
  // As clients are told it.
  s: ', in seconds',
  bytes: ', in bytes',
  characters: ', in characters',
};
const A_DAY_MS = 86_400_000;
const MOST_COUNTED = 100_000_000;
/** Of HTTP/2: what a peer takes for granted until it is told otherwise, and what a number of 31 bits can say. */
const LEAST_WINDOW = 65_535;
const MOST_WINDOW = 2 ** 31 - 1;
/** Characters of what was given that a fault repeats. */
const MAX_SHOWN = 200;
/** In place of a secret. */
export const HIDDEN = '(hidden)';

/** The key is what embedders call it, and what a file will. */
const ROWS = {
  host: {
    default: '::',
    unit: 'address',
    pattern: /^\S+$/,
    says: 'an address or a host name',
    help: 'address to listen on, for all ports; "::" is every address of both families',
  },
  port: { ...PORT, default: 8848, help: 'main port: Nacos and health; 0 = any free port' },
  grpcPort: {
    ...PORT,
    default: 9848,
    help: 'the same once more, where Nacos 2.x clients look (main port + 1000); 0 = any free port',
  },
  healthPort: { ...PORT, default: 20_000, help: 'health only, where Dubbo-go callers look; 0 = any free port' },
  tlsPort: {
    ...PORT,
    words: ['none'],
    default: 'none',
    help: 'a port with nothing but TLS: Nacos and health, HTTP/1.1 and HTTP/2; 0 = any free port',
    instead: 'tls',
  },
  tlsCert: {
    ...FILE,
    default: '',
    help: 'a certificate with its chain, in PEM, read anew when it changes: all ports speak TLS too then, beside cleartext',
    instead: 'tls',
  },
  tlsKey: { ...FILE, default: '', help: 'the private key of the certificate, in PEM, likewise', instead: 'tls' },
  tlsClientCa: {
    ...FILE,
    default: '',
    help: 'certificates, in PEM, of those who vouch for clients, read anew likewise: clients may show one over TLS then, and are known by it',
    instead: 'tls',
  },
  tlsRequireClientCert: {
    default: false,
    unit: 'true|false',
    words: [true, false],
    help: 'take no client without such a certificate, but on the health port',
  },
  tlsOnly: {
    default: 'none',
    unit: 'ports',
    words: ['none', 'nacos', 'all'],
    help: 'which ports take nothing but TLS: those that serve Nacos (the health port takes both then), or all; the TLS port never takes anything else',
  },
  tlsMinVersion: {
    default: 'TLSv1.2',
    unit: 'version',
    words: ['TLSv1.2', 'TLSv1.3'],
    help: 'oldest version of TLS that is spoken',
  },
  tlsCiphers: {
    default: '',
    unit: 'names',
    pattern: /^([\w-]+(:[\w-]+)*)?$/,
    says: 'names of cipher suites, as OpenSSL has them, with colons between',
    help: 'cipher suites, best first; those that begin with TLS_ are of TLS 1.3, which is not spoken where none is named; "" is what Node takes',
  },
  tlsWarnDays: {
    default: 14,
    unit: 'days',
    least: 0,
    most: 365,
    help: 'how many days before the certificate ends the log begins to say so, once a day',
  },
  dataDir: {
    default: './data',
    embedded: 'none',
    unit: 'directory',
    fits: (text: string) => text !== '',
    says: 'a directory, or "none"',
    help: 'where to keep what must survive a restart, and what was known of the rest; "none" keeps nothing',
  },
  comeBackWithinMs: {
    default: 45_000,
    unit: 'ms',
    least: 0,
    most: A_DAY_MS,
    help: 'for how long after a restart an instance that lived by a connection keeps its last status, for its client to come back',
  },
  rememberForMs: {
    // A clock that was an hour or a time zone off, and is put right, may not cost what was known.
    default: A_DAY_MS,
    unit: 'ms',
    least: 0,
    most: 365 * A_DAY_MS,
    help: 'after a restart that took longer, instances that live by beats or connections are not remembered',
  },
  minAvailable: {
    default: '1',
    unit: 'count|percent',
    fits: (text: string) => parseMinAvailable(text) !== undefined,
    says: 'a count from 1, or 1%..100%',
    help: 'how many instances make a service SERVING that does not say it itself (metadata health.min-available)',
  },
  fallAfterMs: {
    default: 0,
    unit: 'ms',
    least: 0,
    most: A_DAY_MS,
    help: 'how long a service must be down before it is told, unless it says so itself (metadata health.fall-after)',
  },
  riseAfterMs: {
    default: 0,
    unit: 'ms',
    least: 0,
    most: A_DAY_MS,
    help: 'how long a service that was down must be up before it is told, unless it says so itself (metadata health.rise-after)',
  },
  riseBeats: {
    default: 1,
    unit: 'beats',
    least: 1,
    most: 1_000,
    help: 'after how many beats in a row an instance that was silent counts again, unless its service says so (metadata health.rise-beats)',
  },
  probes: {
    default: true,
    unit: 'true|false',
    words: [true, false],
    help: 'check instances actively: persistent ones, and those that ask for it (metadata health.check)',
  },
  probeAllow: {
    default: '',
    unit: 'addresses',
    fits: (text: string) => AddressSet.parse(text) !== undefined,
    says: 'addresses, CIDRs, or the words loopback, private, link-local, with commas between',
    help: 'what may be dialled to check instances beside what is by default: everything but loopback, link-local, metadata, multicast and unspecified addresses',
  },
  probeNames: {
    default: false,
    unit: 'true|false',
    words: [true, false],
    help: 'resolve instances that are registered by a host name, to check them',
  },
  defaultService: {
    default: '',
    unit: 'name',
    fits: () => true,
    says: 'a health name',
    help: 'whom callers mean that can name none: /health itself, and the default path of AWS ALB; "" is the bridge',
  },
  contextPath: {
    default: '/nacos',
    unit: 'path',
    pattern: /^\/([\w.~-]+(\/[\w.~-]+)*\/?)?$/,
    says: 'a path from the root, such as /registry, or / itself',
    help: 'where else than below /nacos the calls of Nacos are served: what its clients have as their context path',
  },
  console: {
    default: 'auto',
    unit: 'path',
    words: ['auto', 'none'],
    pattern: /^\/([\w.~-]+(\/[\w.~-]+)*\/?)?$/,
    says: 'auto, none, or a path from the root, such as /console/',
    help: 'where the page for browsers is, on the main port; auto: at / and where Nacos has its own, below the context path; none: nowhere',
  },
  trust: {
    ...ADDRESSES,
    says: `${ADDRESSES.says}; for everybody there is --open-writes`,
    help: 'who else than this machine may register and write texts without a login: addresses of the network that clients come from. "private" is right where nothing is published beyond a cluster network, and wrong behind docker -p, a NodePort, a load balancer or an ingress: there everybody comes from a private address',
  },
  trustedProxy: {
    ...ADDRESSES,
    help: 'proxies that are believed for whom they ask (X-Forwarded-For); of others it is never believed, and what they pass on from this machine counts as from elsewhere',
  },
  openWrites: {
    ...SWITCH,
    help: 'let anyone who reaches a port register and write texts; with --trust-operate, edit and operate too',
  },
  trustOperate: {
    ...SWITCH,
    help: 'let trusted addresses edit services and the instances of others too, as this machine may; beside --open-writes these are all',
  },
  protectReads: { ...SWITCH, help: 'let only this machine and trusted addresses read lists and texts; health stays open' },
  healthAuth: {
    ...SWITCH,
    help: 'close health too, but for the bridge itself ("", /livez, /readyz): to all but this machine and trusted addresses, and who logs in; lists tell the same until --protect-reads closes them',
  },
  auth: {
    ...SWITCH,
    help: 'let nobody read or write without a login: users are in --user-file, or are made by calls and kept in the data directory',
  },
  userFile: { ...FILE, default: '', help: 'users, their roles and passwords, in YAML; read anew when it changes' },
  authSecretFile: {
    ...FILE,
    default: '',
    help: 'what logins are signed with: 32 bytes or more that only its owner can read, the same for all replicas; else one is made and kept in the data directory',
  },
  authSecretPreviousFile: {
    ...FILE,
    default: '',
    help: 'what they were signed with before: those logins stay good until they end',
  },
  tokenTtlSeconds: {
    default: MOST_TTL_SECONDS,
    unit: 's',
    least: LEAST_TTL_SECONDS,
    most: MOST_TTL_SECONDS,
    help: 'how long a login is good',
  },
  trustReads: { ...SWITCH, help: 'with --auth, let trusted addresses read without a login' },
  trustWrites: {
    ...SWITCH,
    help: 'with --auth, let trusted addresses write without a login: the log names who still does, until all have moved',
  },
  allowHost: {
    default: '',
    unit: 'names',
    list: true,
    fits: (text: string) => partsOf(text).every(isHostName),
    says: 'names without a port, with commas between',
    help: 'by which names browsers may call this server, beside addresses, localhost, *.local and the name of the machine',
  },
  allowOrigin: {
    default: '',
    unit: 'origins',
    list: true,
    fits: (text: string) => partsOf(text).every(isOrigin),
    says: 'origins such as https://console.example, with commas between',
    help: 'web pages of other origins that may ask, each to the letter; no others may',
  },
  pushDelayMs: {
    default: 20,
    unit: 'ms',
    least: 0,
    most: 10_000,
    help: 'how long a push to Nacos subscribers waits for more changes',
  },
  pushToClientIp: {
    default: false,
    unit: 'true|false',
    words: [true, false],
    help: 'push to the address that a client names, instead of the one that its request came from: lets callers aim datagrams at others',
  },
  restartGraceMs: {
    default: 30_000,
    unit: 'ms',
    least: 0,
    most: 3_600_000,
    help: 'for how long after the start a service that nobody has spoken of is not pushed as empty: its providers may be on their way back',
  },
  drainDelayMs: {
    default: 'auto',
    embedded: 0,
    unit: 'ms',
    words: ['auto'],
    least: 0,
    most: A_DAY_MS,
    help: 'for how long, when it is to end, the bridge says that it does while it goes on answering and taking connections; "auto" is 0 on a terminal, else 5 s',
  },
  hangLimitMs: {
    default: 0,
    unit: 'ms',
    least: 0,
    most: A_DAY_MS,
    help: 'after how long without a turn of the event loop the process is killed, for its supervisor to start it anew; 0 = never',
  },
  webhook: {
    default: '',
    unit: 'urls',
    list: true,
    secret: true,
    fits: areWebhooks,
    says: 'at most 20 URLs that begin with http:// or https://, each behind json=, dingtalk=, wecom=, feishu=, slack= or nothing, with commas between (one in a URL is %2C)',
    help: 'whom to tell what happens, by a POST to each: our own JSON, or the text that a robot of that chat takes',
  },
  webhookSecretFile: {
    ...FILE,
    default: '',
    list: true,
    help: 'what is told is signed with this: a file that only its owner can read, for all webhooks; or one each in their order, "-" for none',
  },
  webhookCauses: {
    default: '',
    unit: 'causes',
    list: true,
    fits: (text: string) => listed(text).every((cause) => Object.hasOwn(CAUSES, cause)),
    says: 'causes of events, such as silent or removed, with commas between',
    help: 'tell webhooks of these causes alone; with no causes and kinds: of changes of status, of what happened to very many, and of what the bridge warns of',
  },
  webhookKinds: {
    default: '',
    unit: 'kinds',
    list: true,
    fits: (text: string) => listed(text).every((kind) => (KINDS as readonly string[]).includes(kind)),
    says: `${KINDS.join(', ')}, with commas between`,
    help: 'tell webhooks of these kinds of events alone, likewise',
  },
  logLevel: {
    default: 'info',
    unit: 'level',
    words: LOG_LEVELS,
    help: 'least severe log line to write (to stderr)',
    instead: 'log',
  },
  logFormat: {
    default: 'auto',
    unit: 'format',
    words: LOG_FORMATS,
    help: 'lines of JSON, or for eyes; auto is for eyes on a terminal, and JSON else',
    instead: 'log',
  },

  maxSockets: count(
    50_000,
    'connections to all ports, or as many as there are descriptors for; up to 256 of them are for health alone, half of these for the health port',
    32,
  ),
  maxSocketsPerPeer: count(
    20_000,
    'the same from one address (of IPv6: its /64, here and below), but for health; many clients may stand behind one address',
  ),
  maxHeaderBytes: bytes(64 << 10, 4 << 10, 16 << 20, "the header of a request: npm's Nacos client puts a whole beat into it"),
  maxStreamsPerConnection: count(HTTP2_LIMITS.maxStreamsPerConnection, 'calls that an HTTP/2 connection may have open'),
  headerTimeoutMs: time(10_000, 'how long a connection may take to say what it speaks, and a request to send its header'),
  handshakeTimeoutMs: time(10_000, 'how long a connection may take to agree on TLS'),
  bodyTimeoutMs: time(30_000, 'how long a request may take to send its body, but for conversations over HTTP/2'),
  pingIntervalMs: time(
    10_000,
    'how long an HTTP/2 peer may be silent before it is asked for a sign of life; the second question without an answer is the last',
  ),
  maxHeaderFields: count(HTTP2_LIMITS.maxHeaderFields, 'fields in the header of a request'),
  maxContinuations: count(
    HTTP2_LIMITS.maxContinuations,
    'CONTINUATION frames of the header of an HTTP/2 request, or as many as one of --max-header-bytes takes',
    0,
  ),
  streamWindowBytes: bytes(
    HTTP2_LIMITS.streamWindowBytes,
    LEAST_WINDOW,
    MOST_WINDOW,
    'what may come of the body of an HTTP/2 request before what came earlier is taken',
  ),
  connectionWindowBytes: bytes(
    HTTP2_LIMITS.connectionWindowBytes,
    LEAST_WINDOW,
    MOST_WINDOW,
    'the same of all bodies of an HTTP/2 connection, before it is read',
  ),
  maxUnreadBytes: bytes(
    HTTP2_LIMITS.maxUnreadBytes,
    64 << 10,
    64 * 2 ** 30,
    'bodies of one HTTP/2 connection that have come and are not taken yet; beyond, calls are reset',
  ),
  maxUnreadBytesInAll: bytes(
    HTTP2_LIMITS.maxUnreadBytesInAll,
    64 << 10,
    64 * 2 ** 30,
    'the same of all HTTP/2 connections; beyond, whichever has most is ended',
  ),
  maxHeldBytes: bytes(
    16 << 20,
    64 << 10,
    64 * 2 ** 30,
    'bodies of one connection, if there are several, that have been taken and are not whole yet; beyond, they are refused',
  ),
  maxHeldBytesPerPeer: bytes(
    32 << 20,
    64 << 10,
    64 * 2 ** 30,
    'the same from one address; beyond, one of its connections is refused what it has sent, of those that hold much the one that has been at it longest',
  ),
  maxHeldBytesInAll: bytes(128 << 20, 1 << 20, 64 * 2 ** 30, 'the same of all addresses; beyond, likewise, whichever holds most'),
  maxUnsentBytes: bytes(
    HTTP2_LIMITS.maxUnsentBytes,
    64 << 10,
    64 * 2 ** 30,
    'what an HTTP/2 peer may leave unread before nothing more is read from it',
  ),
  maxUnsentBytesInAll: bytes(
    HTTP2_LIMITS.maxUnsentBytesInAll,
    1 << 20,
    64 * 2 ** 30,
    'what all HTTP/2 peers together may leave unread; beyond, whoever has left most is ended',
  ),
  stallTimeoutMs: time(HTTP2_LIMITS.stallTimeoutMs, 'how long a peer may take next to nothing of what it is to be told'),
  idleTimeoutMs: time(HTTP2_LIMITS.idleTimeoutMs, 'how long an HTTP/2 connection may have no call open'),
  maxStreamsPerSecond: count(HTTP2_LIMITS.maxStreamsPerSecond, 'calls that an HTTP/2 connection may open within a second'),
  maxHeaderBytesPerSecond: bytes(
    HTTP2_LIMITS.maxHeaderBytesPerSecond,
    64 << 10,
    64 * 2 ** 30,
    'headers of an HTTP/2 connection within a second, as they are encoded',
  ),
  maxSettingsPerSecond: count(HTTP2_LIMITS.maxSettingsPerSecond, 'SETTINGS of an HTTP/2 connection within a second'),
  maxPingsPerSecond: count(
    HTTP2_LIMITS.maxPingsPerSecond,
    'PINGs of an HTTP/2 connection within a second, beside one for each call and each message to it',
  ),
  maxControlFramesPerSecond: count(
    HTTP2_LIMITS.maxControlFramesPerSecond,
    'WINDOW_UPDATE, PRIORITY and late RST_STREAM within a second, beside eight for each call and each message',
  ),
  maxSmallFramesPerSecond: count(
    HTTP2_LIMITS.maxSmallFramesPerSecond,
    'DATA of less than 256 bytes of an HTTP/2 connection within a second that end no body, beside one for each call and each message',
  ),
  maxEmptyFramesPerSecond: count(HTTP2_LIMITS.maxEmptyFramesPerSecond, 'DATA of none that end no body, likewise'),
  maxUnknownFramesPerSecond: count(
    HTTP2_LIMITS.maxUnknownFramesPerSecond,
    'frames of an HTTP/2 connection within a second of a kind that is not known',
  ),
  maxResetsPerSecond: count(
    HTTP2_LIMITS.maxResetsPerSecond,
    'calls that an HTTP/2 peer resets before they are answered, or makes the bridge reset, within a second; four times as many at once',
  ),
  maxErrorsPerMinute: count(
    HTTP2_LIMITS.maxErrorsPerMinute,
    'other mistakes of an HTTP/2 peer that would each cost it no more than a call',
  ),
  maxPipelined: count(
    100,
    'requests that an HTTP/1.1 connection may have unanswered before it is ended; they count in --max-held-bytes-in-all too',
  ),
  keepAliveTimeoutMs: time(75_000, 'how long an HTTP/1.1 connection may be idle; better not the 5 s between two beats'),

  maxEvents: count(
    10_000,
    'records of what happened that are kept, for /events; and as many again that are older, of services alone',
  ),
  maxEventsPerService: count(20, 'the same of one service, whatever happened to others meanwhile'),
  maxEventStreams: count(200, 'who follows /events, in all'),
  maxEventStreamsPerPeer: count(50, 'the same from one address'),
  webhookTimeoutMs: time(10_000, 'how long a webhook may take to answer', 100),
  maxMetricServices: count(1_000, 'services that have metrics of their own; of more, those that fail or have changed last', 0),
  maxListed: count(10_000, 'entries, with "" counted, beyond which List is refused with RESOURCE_EXHAUSTED'),
  maxHealthMessageBytes: bytes(16 << 10, 2 << 10, 16 << 20, 'a message to the health service'),
  maxWatchesPerConnection: count(1_000, 'watches of one connection'),
  maxWatchesPerPeer: count(20_000, 'watches from one address'),
  maxWatches: count(100_000, 'watches in all'),
  maxExplained: count(
    20,
    'services of which /health/NAME gives the counts, where a name means several; and edits and checks of each',
  ),
  maxApplications: count(1_000, 'applications that may offer one Dubbo interface'),

  forgetAfterMs: time(DEFAULT_MEMORY.forgetAfterMs, 'how long a service stays known after its last instance has gone', 0),
  keepEditsMs: time(
    DEFAULT_MEMORY.keepEditsMs,
    'how long an edit, or a drain, outlives an instance that fell silent or lost its connection',
    0,
  ),
  maxRemembered: count(
    DEFAULT_MEMORY.maxRemembered,
    'instances that have gone and whose edits and drains are kept; of more, the latest',
    0,
  ),

  maxProbes: count(512, 'checks of instances that may be under way'),
  maxProbesPerAddress: count(64, 'the same to one address'),
  maxProbesPerSecond: count(1_000, 'checks of instances that are begun within a second'),

  maxBodyBytes: bytes(256 << 10, 1 << 10, 256 << 20, 'the body of a Nacos request over HTTP'),
  maxAnswerBytes: bytes(
    64 << 20,
    1 << 20,
    64 * 2 ** 30,
    'answers of Nacos over HTTP that one address has yet to read, but for lists that are kept; beyond, large ones are refused',
  ),
  maxAnswerBytesInAll: bytes(128 << 20, 1 << 20, 64 * 2 ** 30, 'the same of all addresses'),
  maxLongReads: count(512, 'requests that look at more than is done in one go, and wait for their turn or go on'),
  maxLongReadsPerPeer: count(64, 'the same from one address; many clients may stand behind one address'),
  maxMetadataLength: {
    default: 16 << 10,
    unit: 'characters',
    least: 0,
    most: 16 << 20,
    help: 'keys and values of the metadata of one instance',
    limit: true,
  },
  maxMetadataInAll: characters(128 << 20, 'metadata of all instances and services, each pair counted as 32 more'),
  maxMetadataPerPeer: characters(96 << 20, 'the same of what one address has brought; many clients may stand behind one address'),
  maxInstances: count(250_000, 'instances'),
  maxInstancesPerPeer: count(200_000, 'instances that one address has registered; many clients may stand behind one address'),
  maxServices: count(250_000, 'services'),
  maxServicesPerPeer: count(200_000, 'services that one address has made known; many clients may stand behind one address'),
  maxRegistrationsPerSecondPerPeer: count(
    5_000,
    'instances that one address may register within a second, over and over; twenty times as many at once',
  ),
  maxBeatsPerSecondPerPeer: count(25_000, 'beats from one address within a second, over and over; five times as many at once'),
  maxClusters: count(1_000, 'clusters of one service of which something is said'),
  maxClusterMetadataLength: {
    default: 256 << 10,
    unit: 'characters',
    least: 0,
    most: 16 << 20,
    help: 'keys and values of the metadata of all clusters of one service',
    limit: true,
  },
  maxNamespaces: count(10_000, 'namespaces that have a name'),
  maxNacosMessageBytes: bytes(10 << 20, 1 << 10, 256 << 20, 'a message of Nacos over gRPC'),
  maxStreamMessageBytes: bytes(
    64 << 10,
    4 << 10,
    256 << 20,
    'a message over the stream of a connection of Nacos 2.x, or from who has not set one up: they have little to say',
  ),
  maxConnections: count(50_000, 'connections of Nacos 2.x'),
  maxConnectionsPerPeer: count(10_000, 'connections of Nacos 2.x from one address; many clients may stand behind one address'),
  maxOutbox: count(50_000, 'messages that wait for a connection of Nacos 2.x to read them, before it is ended'),
  maxBatch: count(10_000, 'instances in a batch'),
  maxSubscribedServices: count(20_000, 'services that a connection of Nacos 2.x subscribes to'),
  maxSubscriptions: count(500_000, 'subscriptions of connections of Nacos 2.x'),
  maxSubscriptionsPerPeer: count(400_000, 'the same from one address; many clients may stand behind one address'),
  maxClusterSets: count(16, 'sets of clusters in which a connection of Nacos 2.x subscribes to one service'),
  maxUdpSubscribers: count(100_000, 'subscriptions of clients of Nacos 1.x'),
  maxUdpSubscriptionsPerTarget: count(1_000, 'subscriptions of one client of Nacos 1.x'),
  maxUdpSubscriptionsPerPeer: count(80_000, 'the same from one address; many clients may stand behind one address'),
  maxConfigs: count(100_000, 'texts of the configuration service'),
  maxConfigBytes: bytes(1 << 20, 1, 64 << 20, 'one text of the configuration service'),
  maxConfigTotalBytes: bytes(
    256 << 20,
    1,
    64 * 2 ** 30,
    'all texts of the configuration service, and no more than a quarter of the heap',
  ),
  maxConfigBodyBytes: bytes(
    4 << 20,
    1 << 10,
    256 << 20,
    'the body of a Nacos request over HTTP that writes a text, or listens to texts: escapes make them up to three times as long',
  ),
  maxConfigPageBytes: bytes(10 << 20, 1 << 10, 256 << 20, 'all texts in one page of texts'),
  maxListenedConfigs: count(10_000, 'texts that a connection of Nacos 2.x, or a request of 1.x, listens to'),
  maxListenedConfigsInAll: count(500_000, 'the same over all connections of Nacos 2.x, each text as often as it is listened to'),
  maxListenedConfigsPerPeer: count(400_000, 'the same from one address; many clients may stand behind one address'),
  maxLongPolls: count(100_000, 'requests of clients of Nacos 1.x that wait for a text to change'),
  maxLongPollsPerPeer: count(10_000, 'the same from one address; many clients may stand behind one address'),
  maxPolledConfigs: count(500_000, 'texts that all these requests listen to, each as often as it is listened to'),
  maxPolledConfigsPerPeer: count(100_000, 'the same from one address'),
  maxInterestBytesInAll: bytes(
    256 << 20,
    1 << 20,
    64 * 2 ** 30,
    'what is kept of subscriptions, long polls and texts listened to, by the length of their names, and no more than a quarter of the heap',
  ),
  maxInterestBytesPerPeer: bytes(
    128 << 20,
    1 << 20,
    64 * 2 ** 30,
    'the same from one address, and no more than half of what all may; many clients may stand behind one address',
  ),
  maxLongPollMs: time(120_000, 'how long such a request may wait; a client that is answered asks again at once', 10_000),
  detectAfterMs: time(20_000, 'how long a connection of Nacos 2.x may be silent before it is asked for a sign of life'),
  answerWithinMs: time(5_000, 'how long a connection of Nacos 2.x may take to answer when it is asked for a sign of life'),
  readWithinMs: time(300_000, 'how long a connection of Nacos 2.x may leave unread what it is pushed'),
  setUpWithinMs: time(30_000, 'how long a connection of Nacos 2.x may take to say who it is'),

  closeWithinMs: time(
    5_000,
    'how long closing waits for what is being answered, before it cuts; it begins after the drain delay',
    0,
  ),
} as const satisfies Readonly<Record<string, Row>>;

type Rows = typeof ROWS;
/** What an option is called by embedders and in a file. */
export type OptionName = keyof Rows;
type Name = OptionName;
// The keys of ROWS, by its type.
export const NAMES = Object.keys(ROWS) as readonly OptionName[];

type ValueOf<R> =
  | (R extends { readonly words: readonly (infer W)[] } ? W : never)
  | (R extends { readonly least: number } ? number : never)
  | (R extends { readonly fits: unknown } | { readonly pattern: unknown } ? string : never);

/** A value for every option. */
export type Options = { readonly [K in Name]: ValueOf<Rows[K]> };

/** The part of the options that guards the bridge: plain numbers. */
export type Limits = { readonly [K in Name as Rows[K] extends { readonly limit: true } ? K : never]: Options[K] };

/** What an embedder may say; `log` and `tls` stand beside it. */
export type GivenOptions = {
  readonly [K in Name as Rows[K] extends { readonly instead: string } ? never : K]?: Options[K];
};

/** One row of the table, with all that follows from it. */
export interface Option {
  readonly flag: string;
  readonly env: string;
  readonly default: string | number | boolean;
  readonly unit: string;
  /** What a value has to be, to complete "--port must be …". */
  readonly expected: string;
  readonly help: string;
  /** Whether it guards the bridge rather than saying what it does. */
  readonly limit: boolean;
  readonly list: boolean;
  readonly secret: boolean;
  readonly bounds: Bounds;
}

/** The table, in the order in which it is shown. */
export const OPTIONS: Readonly<Record<Name, Option>> = forEachName((name) => {
  const row: Row = ROWS[name];
  // The unit of a time is said with its value: pushDelayMs is --push-delay.
  const dashed = name.replace(/(Ms|Seconds)$/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return {
    flag: `--${dashed}`,
    env: `BEATBRIDGE_${dashed.toUpperCase().replaceAll('-', '_')}`,
    default: row.default,
    unit: row.unit,
    expected: expectedOf(row),
    help: `${row.help}${IN_UNITS[row.unit] ?? ''}`,
    limit: row.limit === true,
    list: row.list === true,
    secret: row.secret === true,
    bounds: row,
  };
});

/** All that is wrong with the options at once, one line each, with the place it comes from. */
export class OptionsError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.name = 'OptionsError';
    this.faults = faults;
  }
}

/**
 * What an embedder gives, with the defaults for the rest. Of `tls` and `log`, which stand beside the options, no more is looked at than
 * whether they could be what they should. Throws `OptionsError`.
 */
export function checkOptions(given: object): Options {
  if (typeof given !== 'object' || given === null) throw new OptionsError([`the options must be an object, got ${shown(given)}`]);
  const said = new Map<Name, Said>();
  const faults: string[] = [];
  const known: string[] = ['tls', 'log', 'clock'];
  const values = new Map(Object.entries(given).filter(([, value]) => value !== undefined));
  for (const name of NAMES) {
    known.push(name);
    const { instead, embedded }: Row = ROWS[name];
    if (!values.has(name) && embedded !== undefined) said.set(name, { value: embedded, place: name });
    if (!values.has(name)) continue;
    if (instead !== undefined) faults.push(`${name} is for the command line only, give ${instead} in its place`);
    else said.set(name, { value: values.get(name), place: name });
  }
  faults.push(...unknownAmong([...values.keys()], known));
  if (values.has('log') && !isLogger(values.get('log'))) faults.push('log must be a pino logger');
  if (values.has('clock') && !isClock(values.get('clock')))
    faults.push('clock must have now, wallClock, after, every and soon: see createTestClock');
  if (values.has('tls')) {
    const tls: unknown = values.get('tls');
    const { cert, key, port, clientCa } = partsOfTls(tls);
    if (!cert || !key) faults.push('tls must have a cert and a key, both in PEM');
    if (clientCa !== undefined && !clientCa) faults.push('tls.clientCa must be certificates in PEM');
    const inPlace = { value: port, place: 'tls.port' };
    if (port !== undefined && !isWithin(PORT, port)) faults.push(faultOf(inPlace, PORT));
    else if (port !== undefined) said.set('tlsPort', inPlace);
  }
  const { options, wrong, faults: first } = settled(said);
  const placeOf = (name: Name) => said.get(name)?.place ?? name;
  faults.unshift(...first);
  faults.push(...portsTwice(options, placeOf, wrong), ...contradictions(options, placeOf, wrong));
  const { cert, clientCa } = partsOfTls(values.get('tls'));
  const inPlace: Partial<Record<Name, string>> = { tlsCert: 'tls', tlsClientCa: 'tls.clientCa' };
  const has = { cert: Boolean(cert), clientCa: Boolean(clientCa) };
  faults.push(
    ...tlsFaults(options, has, (name, other) =>
      wrong.has(name) || wrong.has(other) ? [] : [`${name} needs ${inPlace[other] ?? other}`],
    ),
  );
  faults.push(...cipherFaults(options, placeOf, wrong));
  if (faults.length > 0) throw new OptionsError(faults);
  return options;
}

function partsOfTls(tls: unknown): { [name: string]: unknown } {
  return typeof tls === 'object' && tls !== null ? Object.fromEntries(Object.entries(tls)) : {};
}

/** It is called when something goes wrong, which is too late to find out. */
function isClock(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const parts: Readonly<Record<string, unknown>> = { ...value };
  return ['now', 'wallClock', 'after', 'every', 'soon'].every((name) => typeof parts[name] === 'function');
}

function isLogger(log: unknown): boolean {
  return typeof log === 'object' && log !== null && 'error' in log && typeof log.error === 'function' && 'debug' in log;
}

/** What was said of an option, and where: the place begins a fault, "PLACE must be …". */
export interface Said {
  readonly value: unknown;
  readonly place: string;
  /** The text that the value was read from, which is shown in its place. */
  readonly text?: string;
}

/** All options, with the default in place of what is wrong or was not said; what is wrong, and the faults of that. */
export function settled(said: ReadonlyMap<OptionName, Said>): {
  readonly options: Options;
  readonly wrong: ReadonlySet<OptionName>;
  readonly faults: readonly string[];
} {
  const wrong = new Set<Name>();
  const faults: string[] = [];
  const values: Readonly<Record<Name, unknown>> = forEachName((name) => {
    const one = said.get(name);
    if (one !== undefined && isWithin(ROWS[name], one.value)) return one.value;
    if (one !== undefined) {
      wrong.add(name);
      faults.push(faultOf(one, ROWS[name]));
    }
    return ROWS[name].default;
  });
  // Each value is within the bounds that its type is derived from.
  return { options: values as Options, wrong, faults };
}

function faultOf({ place, value, text }: Said, row: Bounds & { readonly secret?: true }): string {
  return `${place} must be ${expectedOf(row)}, got ${shown(text ?? value, row)}`;
}

/** The fault of one value, where it is none of this option. */
export function faultIn(name: OptionName, said: Said): string | undefined {
  return isWithin(ROWS[name], said.value) ? undefined : faultOf(said, ROWS[name]);
}

/** Two ports that are one, but of those that are wrong themselves. */
export function portsTwice(
  options: Options,
  placeOf: (name: OptionName) => string,
  wrong: ReadonlySet<OptionName>,
): readonly string[] {
  const names = (['port', 'grpcPort', 'healthPort', 'tlsPort'] as const).filter((name) => !wrong.has(name));
  return names.flatMap((a, i) =>
    names
      .slice(i + 1)
      .filter((b) => options[a] === options[b] && options[a] !== 0)
      .map((b) => `${placeOf(a)} and ${placeOf(b)} must differ, both are ${options[a]}`),
  );
}

/** What is said of TLS and would say nothing, or the wrong thing, without something else; `needs` says so, in the words of who asks. */
export function tlsFaults(
  { tlsOnly, tlsRequireClientCert }: Options,
  has: { readonly cert: boolean; readonly clientCa: boolean },
  needs: (name: OptionName, other: OptionName) => readonly string[],
): readonly string[] {
  return [
    ...(tlsOnly !== 'none' && !has.cert ? needs('tlsOnly', 'tlsCert') : []),
    ...(tlsRequireClientCert && !has.clientCa ? needs('tlsRequireClientCert', 'tlsClientCa') : []),
    // Whoever has no certificate would leave TLS away.
    ...(tlsRequireClientCert && tlsOnly === 'none' ? needs('tlsRequireClientCert', 'tlsOnly') : []),
  ];
}

/** A context would be made all the same of a list that has one good name, and of one that leaves no way to speak. */
export function cipherFaults(
  { tlsCiphers, tlsMinVersion }: Options,
  placeOf: (name: OptionName) => string,
  wrong: ReadonlySet<OptionName>,
): readonly string[] {
  if (wrong.has('tlsCiphers')) return [];
  const unknown = unknownCiphers(tlsCiphers);
  if (unknown.length > 0) return [`${placeOf('tlsCiphers')} has names that are not known here: ${shown(unknown.join(', '))}`];
  return tlsMinVersion === 'TLSv1.3' && !haveTls13(tlsCiphers)
    ? [`${placeOf('tlsCiphers')} must have a name that begins with TLS_: no older version than TLSv1.3 is spoken`]
    : [];
}

/** What is said of access and goes against something else that is said of it; nothing while one of both is wrong itself. */
export function contradictions(
  options: Options,
  placeOf: (name: OptionName) => string,
  wrong: ReadonlySet<OptionName>,
): readonly string[] {
  const ofWebhooks = webhookFaults(options, placeOf, wrong);
  if (ACCESS.some((name) => wrong.has(name))) return ofWebhooks;
  const idle = (['userFile', 'authSecretFile', 'authSecretPreviousFile'] as const).filter(
    (name) => !options.auth && options[name] !== '',
  );
  const isTtlIdle = !options.auth && !wrong.has('tokenTtlSeconds') && options.tokenTtlSeconds !== OPTIONS.tokenTtlSeconds.default;
  const names = isTtlIdle ? [...idle, 'tokenTtlSeconds' as const] : idle;
  const withoutAuth = names.map((name) => `${placeOf(name)} says nothing without ${OPTIONS.auth.flag}`);
  return [...opennessFaults(options), ...withoutAuth, ...ofWebhooks];
}

function webhookFaults(
  options: Options,
  placeOf: (name: OptionName) => string,
  wrong: ReadonlySet<OptionName>,
): readonly string[] {
  const names = (['webhookSecretFile', 'webhookCauses', 'webhookKinds'] as const).filter((name) => !wrong.has(name));
  if (wrong.has('webhook')) return [];
  if (options.webhook === '')
    return names
      .filter((name) => options[name] !== '')
      .map((name) => `${placeOf(name)} says nothing without ${OPTIONS.webhook.flag}`);
  const [webhooks, files] = [listed(options.webhook).length, listed(options.webhookSecretFile).length];
  return files <= 1 || files === webhooks
    ? []
    : [`${placeOf('webhookSecretFile')} must be one file for all webhooks, or ${webhooks} in their order, got ${files}`];
}

const ACCESS = ['auth', 'openWrites', 'trustReads', 'trustWrites', 'trustOperate', 'protectReads', 'healthAuth'] as const;

/** The value of a flag or a variable that a text means, within the bounds or not. */
export function meantBy({ words, least }: Bounds, text: string): unknown {
  const word = words?.find((word) => String(word) === text);
  if (word !== undefined) return word;
  return least !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : text;
}

function isWithin({ words, least, most, fits, pattern }: Bounds, value: unknown): boolean {
  if (words?.some((word) => word === value)) return true;
  if (typeof value === 'string') return fits?.(value) === true || pattern?.test(value) === true;
  if (typeof value !== 'number' || least === undefined) return false;
  return Number.isInteger(value) && value >= least && value <= (most ?? Number.MAX_SAFE_INTEGER);
}

function expectedOf({ words = [], least, most, says }: Bounds): string {
  if (says !== undefined) return says;
  if (least !== undefined) return [`${least}..${most}`, ...words.map((word) => `or ${JSON.stringify(word)}`)].join(', ');
  return words.length > 2 ? `one of ${words.join(', ')}` : words.join(' or ');
}

/** Whether any text can be a value, rather than words alone. */
export function isText({ fits, pattern }: Bounds): boolean {
  return fits !== undefined || pattern !== undefined;
}

/** Bounded, and so that a text and a number are told apart, where the other is wanted. */
export function shown(value: unknown, row: Bounds & { readonly secret?: true } = {}): string {
  if (row.secret === true) return HIDDEN;
  if (typeof value === 'string') return JSON.stringify(value.slice(0, MAX_SHOWN));
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return `${String(value).slice(0, MAX_SHOWN)}${isText(row) && typeof value === 'number' ? ', a number and not a text' : ''}`;
}

/** The faults of names that are not known. */
export function unknownAmong(names: readonly string[], known: readonly string[]): string[] {
  return names
    .filter((name) => !known.includes(name))
    .map((name) => `${printable(name)} is not an option${suggestion(name, known)}`);
}

/** On one line, and bounded. */
export function printable(text: string): string {
  return text.slice(0, MAX_SHOWN).replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');
}

interface LimitRow extends Row {
  readonly default: number;
  readonly least: number;
  readonly most: number;
  readonly limit: true;
}

function count(value: number, help: string, least = 1): LimitRow {
  return { default: value, unit: 'count', least, most: MOST_COUNTED, help, limit: true };
}

function time(value: number, help: string, least = 1): LimitRow {
  return { default: value, unit: 'ms', least, most: A_DAY_MS, help, limit: true };
}

function bytes(value: number, least: number, most: number, help: string): LimitRow {
  return { default: value, unit: 'bytes', least, most, help, limit: true };
}

function characters(value: number, help: string): LimitRow {
  return { default: value, unit: 'characters', least: 0, most: 64 * 2 ** 30, help, limit: true };
}

function forEachName<V>(make: (name: Name) => V): Readonly<Record<Name, V>> {
  // Made of all names.
  return Object.fromEntries(NAMES.map((name) => [name, make(name)])) as Record<Name, V>;
}
