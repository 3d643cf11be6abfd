import { setMaxListeners } from 'node:events';
import { setImmediate as nextRound } from 'node:timers/promises';
import { Code, ConnectError, createContextValues } from '@connectrpc/connect';
import { type Logger, pino } from 'pino';
import { Health as HealthService } from '../gen/grpc/health/v1/health_pb.ts';
import { MAPPING_GROUP } from '../health/dubbo.ts';
import { endpointOf, wordOf } from '../health/endpoints.ts';
import { Health } from '../health/health.ts';
import { parseHealthName } from '../health/names.ts';
import { healthService, watcherKey } from '../health/service.ts';
import { parseMinAvailable } from '../health/status.ts';
import { type Watcher, Watches } from '../health/watch.ts';
import { Configs } from '../nacos/configs.ts';
import { Connections, type Peer } from '../nacos/connections.ts';
import { nacosRpc, peerKey } from '../nacos/grpc.ts';
import { nacosHandler } from '../nacos/http.ts';
import { silenceOf } from '../nacos/params.ts';
import { Pusher } from '../nacos/push.ts';
import { Subscribers } from '../nacos/subscribers.ts';
import { Switches } from '../nacos/switches.ts';
import { checkOptions, type GivenOptions } from '../options.ts';
import { Registry } from '../registry/registry.ts';
import { answerText } from './answer.ts';
import { healthPaths } from './health-paths.ts';
import {
  type Handler,
  type Listener,
  type ListenerOptions,
  listen,
  type Request,
  type Response,
  type TlsIdentity,
} from './listener.ts';
import { reflectionRoutes } from './reflection.ts';
import { rpcHandlers } from './rpc.ts';
import { Sweeper } from './sweeper.ts';
import { isGrpc, UNIMPLEMENTED_HEADERS } from './triple.ts';

/**
 * The composition root: the one place where the registry, health and the Nacos surface meet the network and the clock. It holds
 * no rules of its own.
 */
export interface ServerOptions extends GivenOptions {
  /** An identity in PEM: the gRPC port speaks TLS too then, and one more port nothing else, if it is given. No TLS when left out. */
  readonly tls?: TlsIdentity & { readonly port?: number };
  /** A pino logger; silent when left out. */
  readonly log?: Logger;
}

export interface Server extends AsyncDisposable {
  /** Where it listens, each as `HOST:PORT`. */
  readonly listeners: Listeners;
  /**
   * Drains and closes: the status of `""` flips, watches end with UNAVAILABLE, connections are told to go. Resolves when all have
   * gone, and after `withinMs` at the latest (default: the option `closeWithinMs`).
   */
  close(withinMs?: number): Promise<void>;
}

export interface Listeners {
  readonly main: string;
  readonly grpc: string;
  readonly health: string;
  /** Only when there is one. */
  readonly tls?: string;
}

/** A port could not be had; `cause` is the system's error. */
export class ListenError extends Error {}

/**
 * Starts a beatbridge in this process. Rejects with `OptionsError` when there is something wrong with the options, and with
 * `ListenError` when a port cannot be had; nothing stays open then.
 */
export async function createServer(options: ServerOptions = {}): Promise<Server> {
  const checked = checkOptions(options);
  const { host, port, grpcPort, healthPort, pushDelayMs, pushToClientIp, minAvailable, maxListed, defaultService } = checked;
  const log = options.log ?? pino({ enabled: false });
  const now = () => performance.now();
  const shutdown = new AbortController();
  // One listener for each open call, by design.
  setMaxListeners(0, shutdown.signal);

  const registry = new Registry(now, { silenceOf, forgetAfterMs: checked.forgetAfterMs });
  const health = new Health(registry, parseMinAvailable(minAvailable));
  const watches = new Watches(health);
  const rpc = rpcHandlers({
    routes: (router) => {
      router.service(HealthService, healthService(health, watches, maxListed));
      reflectionRoutes(router, [HealthService]);
    },
    maxMessageBytes: checked.maxHealthMessageBytes,
    contextValues: (req) => createContextValues().set(watcherKey, watcherOf(req)),
    shutdown: shutdown.signal,
    log,
  });
  const paths = healthPaths({
    endpointOf: (text) => endpointOf(health, text),
    watch: (text, req, wake) => {
      const name = parseHealthName(text);
      if (name === undefined) return { status: 400, reason: endpointOf(health, text).message };
      const watch = watches.open(name, watcherOf(req), wake);
      if (watch === undefined) return { status: 429, reason: 'too many watches' };
      return {
        take: () => {
          const status = watch.take();
          return status && wordOf(status);
        },
        close: watch.close,
      };
    },
    defaultService,
    shutdown: shutdown.signal,
  });
  const wallClock = () => Math.floor(performance.timeOrigin + now());
  const switches = new Switches();
  switches.onChange(() => registry.suspendExpiry(!switches.values.healthCheckEnabled));
  const pusher = new Pusher({ registry, switches, delayMs: pushDelayMs, now, wallClock, log });
  const connections = new Connections({ registry, now, wallClock, log });
  const subscribers = new Subscribers({
    registry,
    connections,
    switches,
    delayMs: pushDelayMs,
    graceMs: checked.restartGraceMs,
    now,
    wallClock,
  });
  const configs = new Configs(connections, wallClock);
  configs.onChange((id) => {
    if (id.group === MAPPING_GROUP) health.noteApplications(id.namespace, id.dataId, configs.get(id)?.content ?? '');
  });
  const room = { registry, switches, pusher, connections, subscribers, configs, pushToClientIp, wallClock, log };
  const nacos = nacosHandler(room);
  const nacosGrpc = rpcHandlers({
    routes: (router) => nacosRpc(router, room),
    maxMessageBytes: checked.maxNacosMessageBytes,
    longLived: true,
    contextValues: (req) => createContextValues().set(peerKey, peerOf(req)),
    shutdown: shutdown.signal,
    log,
  });
  const sweeper = new Sweeper(registry, now, log);

  const healthHandler = (path: string): Handler | undefined => rpc.get(path) ?? paths(path);
  const everything = guarded(log, (req, res) => {
    const path = pathOf(req);
    if (path.startsWith('/nacos/')) void nacos(req, res);
    else (nacosGrpc.get(path) ?? healthHandler(path) ?? notFound)(req, res);
  });
  const healthOnly = guarded(log, (req, res) => {
    (healthHandler(pathOf(req)) ?? notFoundHere)(req, res);
  });

  const tlsPort = options.tls?.port;
  const open: Listener[] = [];
  const closeAll = async (withinMs: number) => {
    const deadline = AbortSignal.timeout(withinMs);
    await Promise.all(open.map((listener) => listener.close(deadline)));
  };
  const opened = async (port: number, handler: Handler, how: ListenerOptions = {}): Promise<string> => {
    try {
      const listener = await listen(host, port, handler, how);
      open.push(listener);
      return listener.address;
    } catch (cause) {
      await closeAll(0);
      throw new ListenError(`cannot listen on ${host}:${port}: ${reasonOf(cause)}`, { cause });
    }
  };
  const listeners = {
    main: await opened(port, everything),
    // Nacos's clients cannot be told of another port, with TLS or without.
    grpc: await opened(grpcPort, everything, { tls: options.tls }),
    health: await opened(healthPort, healthOnly),
    ...(tlsPort !== undefined && { tls: await opened(tlsPort, everything, { tls: options.tls, tlsOnly: true }) }),
  };
  sweeper.start();

  let closing: Promise<void> | undefined;
  async function drain(withinMs: number): Promise<void> {
    health.drain();
    connections.freeze();
    // Whoever watches "" reads the new status before the watch ends.
    await nextRound();
    shutdown.abort(new ConnectError('the bridge is shutting down', Code.Unavailable));
    await nextRound();
    const closed = closeAll(withinMs);
    // What was said last is on its way by then. Python's client notices nothing less than the end of its transport.
    await nextRound();
    await nextRound();
    connections.cut();
    await closed;
    sweeper.stop();
    pusher.close();
    subscribers.close();
  }
  const close = (withinMs = checked.closeWithinMs) => {
    closing ??= drain(withinMs);
    return closing;
  };
  return { listeners, close, [Symbol.asyncDispose]: () => close() };
}

/** Nothing that a request can do may end the process: what a handler throws is logged once and answered without detail. */
function guarded(log: Logger, handler: Handler): Handler {
  return (req, res) => {
    // A reset can strike at any point of a request, also where nobody listens for it.
    req.on('error', ignore);
    res.on('error', ignore);
    req.url = originForm(req.url ?? '');
    try {
      handler(req, res);
    } catch (err) {
      log.error({ err, method: req.method, path: pathOf(req).slice(0, 200) }, 'request failed');
      answerText(res, 500, 'internal error\n');
    }
  };
}

function ignore(): void {}

function notFound(req: Request, res: Response): void {
  refuse(req, res, 'not found\n');
}

function notFoundHere(req: Request, res: Response): void {
  refuse(req, res, 'not found: this port serves health and reflection only\n');
}

function refuse(req: Request, res: Response, text: string): void {
  if (!isGrpc(req.headers['content-type'])) {
    answerText(res, 404, text);
    return;
  }
  // gRPC has a code of its own for this, and AWS ALB goes by it.
  req.resume();
  res.statusCode = 200;
  res.setHeader('Content-Type', 'application/grpc');
  for (const [name, value] of Object.entries(UNIMPLEMENTED_HEADERS)) res.setHeader(name, value);
  res.end();
}

/** Limits are counted by the connection and by the address at its other end. */
function watcherOf(req: Request): Watcher {
  const connection = 'stream' in req ? (req.stream.session ?? req.stream) : req.socket;
  return { connection, peer: req.socket.remoteAddress ?? '' };
}

/** A transport of Nacos 2.x is an HTTP/2 session, whatever streams it has. */
function peerOf(req: Request): Peer {
  const { remoteAddress = '', remotePort = 0 } = req.socket;
  const transport = 'stream' in req ? (req.stream.session ?? req.stream) : req.socket;
  return {
    transport,
    ip: remoteAddress.replace(/^::ffff:/, ''),
    port: remotePort,
    cut: () => void transport.destroy(),
  };
}

/** The path and query of a request that was written for a proxy: `GET http://HOST/PATH`. */
function originForm(url: string): string {
  return url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*(?=[/?])/i, '');
}

function pathOf(req: Request): string {
  return (req.url ?? '').split('?', 1)[0] ?? '';
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE') return 'the port is taken';
  if (code === 'EACCES') return 'no permission for this port';
  return cause instanceof Error ? cause.message : String(cause);
}
