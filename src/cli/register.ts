import { systemScheduler } from '../wire/scheduler.ts';
import { Beating, type BeatingNews, type Outcome } from './beating.ts';
import { weightIn } from './change.ts';
import type { ClientFlags } from './client/connection-flags.ts';
import { durationMs } from './client/duration.ts';
import { CallError, EXIT, oneLine, UnreachableError, UsageError } from './client/failures.ts';
import { ask, type HttpCall, refusalOf } from './client/http.ts';
import { addressIn, addressText, isObject, serviceIn, serviceText } from './client/instance-place.ts';
import { done, isDone, notOfNacos } from './client/nacos-answer.ts';
import type { Output } from './client/output.ts';
import { stay } from './client/stay.ts';
import type { Target } from './client/target.ts';
import { CommandRun } from './command-run.ts';
import { onUnwritable } from './streams.ts';

/** What `register` is told. */
export interface RegisterFlags extends ClientFlags {
  readonly beat?: boolean;
  readonly namespace?: string;
  readonly group?: string;
  readonly cluster?: string;
  readonly weight?: string;
  readonly metadata?: readonly string[];
  readonly interval: string;
  readonly persistent?: boolean;
}

export interface RegisterMeans {
  /** Made anew from time to time. */
  readonly target: () => Target;
  readonly output: Output;
}

type Params = Readonly<Record<string, string | number | boolean | undefined>>;

/** What is registered, and where. */
interface Registration {
  /** As people read it. */
  readonly text: string;
  readonly place: Params;
  readonly all: Params;
  readonly intervalMs: number;
}

/**
 * Registers an instance: once, or for as long as this or the command runs. Answers the exit code. Rejects with `UsageError`,
 * `UnreachableError`, `CallError`.
 */
export async function register(
  name: string,
  address: string,
  command: readonly string[],
  flags: RegisterFlags,
  means: RegisterMeans,
): Promise<number> {
  const registration = registrationOf(name, address, flags);
  const isLasting = flags.beat === true || command.length > 0;
  if (flags.persistent === true && isLasting)
    throw new UsageError(['--persistent needs no beats, and outlives this command: leave out --beat and the command to run']);
  if (isLasting) return await keepAlive(registration, command, means);
  await done(means.target(), { method: 'POST', path: INSTANCE, query: registration.all });
  said(means.output, registration, 'registered');
  if (flags.persistent !== true) means.output.note('it sends no beats: it is unhealthy when nobody else does (--beat)');
  return EXIT.ok;
}

const INSTANCE = '/nacos/v1/ns/instance';
const BEAT = '/nacos/v1/ns/instance/beat';
const USUAL_INTERVAL_MS = 5_000;

function registrationOf(name: string, text: string, flags: RegisterFlags): Registration {
  const address = addressIn(text);
  const service = serviceIn(name, flags);
  const intervalMs = durationMs(flags.interval);
  if (intervalMs === undefined || intervalMs < 100 || intervalMs > 3_600_000)
    throw new UsageError([`--interval must be a time from 100ms to 1h, got ${JSON.stringify(flags.interval.slice(0, 200))}`]);
  const metadata = { ...timesOf(intervalMs), ...metadataIn(flags.metadata ?? []) };
  const place = { ...service, ip: address.ip, port: address.port, clusterName: flags.cluster };
  const all = {
    ...place,
    ephemeral: flags.persistent !== true,
    weight: flags.weight === undefined ? undefined : weightIn(flags.weight),
    metadata: Object.keys(metadata).length === 0 ? undefined : JSON.stringify(metadata),
  };
  return { text: `${addressText(address)} of ${serviceText(service)}`, place, all, intervalMs };
}

/** Who beats at another pace is to be waited for at that pace. */
function timesOf(intervalMs: number): Readonly<Record<string, string>> {
  if (intervalMs === USUAL_INTERVAL_MS) return {};
  return {
    'preserved.heart.beat.interval': String(intervalMs),
    'preserved.heart.beat.timeout': String(3 * intervalMs),
    'preserved.ip.delete.timeout': String(6 * intervalMs),
  };
}

function metadataIn(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const end = pair.indexOf('=');
      if (end < 1) throw new UsageError([`--metadata must be KEY=VALUE, got ${JSON.stringify(pair.slice(0, 200))}`]);
      return [pair.slice(0, end), pair.slice(end + 1)];
    }),
  );
}

/** Until a signal, or until the command has ended: then the instance is taken away, and the command is told of the signal after that. */
async function keepAlive(registration: Registration, command: readonly string[], means: RegisterMeans): Promise<number> {
  using _ = stay();
  const { output } = means;
  // Whatever becomes of what it tells, it has an instance to keep, and a command to wait for.
  onUnwritable(() => {});
  const beating = beatingOf(registration, means);
  const run = command.length === 0 ? undefined : new CommandRun(command);
  const signalled = firstSignal((signal) => {
    beating.stop();
    output.note(`${signal}: ${registration.text} is taken away${run === undefined ? '' : `, then ${command[0]} is told`}`);
  });
  void run?.ended.then(() => beating.stop());
  const refused = await beating.run();
  if (refused !== undefined) {
    run?.pass('SIGTERM');
    await run?.ended;
    throw new CallError(refused);
  }
  const left = beating.wasRegistered ? await goodbye(registration, means) : EXIT.ok;
  if (run === undefined) return left;
  const signal = signalled();
  if (signal !== undefined) run.pass(signal);
  return await run.ended;
}

function beatingOf({ text, place, all, intervalMs }: Registration, { target, output }: RegisterMeans): Beating {
  let current = target();
  const tried = async (call: HttpCall): Promise<Outcome> => {
    const outcome = await attempt(current, call);
    // The login may have been replaced by now. One that cannot be read just now, may be in a moment.
    if (outcome.kind === 'refused') current = readAgain(target) ?? current;
    return outcome;
  };
  return new Beating({
    scheduler: systemScheduler,
    intervalMs,
    register: (signal) => tried({ method: 'POST', path: INSTANCE, query: all, signal }),
    beat: (signal) => tried({ method: 'PUT', path: BEAT, query: place, signal }),
    told: (news) => tell(output, text, news),
  });
}

function readAgain(target: () => Target): Target | undefined {
  try {
    return target();
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

const BEAT_UNKNOWN = 20_404;

/** A registration answers `ok`, a beat when it wants the next one, or that it knows no such instance. */
async function attempt(target: Target, call: HttpCall): Promise<Outcome> {
  try {
    const answer = await ask(target, call);
    const text = await answer.text();
    const { status } = answer;
    if (status === 200) return outcomeIn(target, text);
    const { message: reason } = refusalOf(target, call, answer, text);
    return { kind: status >= 500 || status === 408 || status === 429 ? 'unreachable' : 'refused', reason };
  } catch (error) {
    if (error instanceof UnreachableError || error instanceof CallError) return { kind: 'unreachable', reason: error.message };
    throw error;
  }
}

function outcomeIn(target: Target, text: string): Outcome {
  if (isDone(text)) return { kind: 'done' };
  const said = parsed(text);
  if (!isObject(said)) return { kind: 'refused', reason: notOfNacos(target, text).message };
  const { code, clientBeatInterval: nextMs } = said;
  if (code === BEAT_UNKNOWN) return { kind: 'unknown' };
  if (typeof code !== 'number' && typeof nextMs !== 'number')
    return { kind: 'refused', reason: notOfNacos(target, text).message };
  return typeof nextMs === 'number' && nextMs > 0 ? { kind: 'done', nextMs } : { kind: 'done' };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whoever stops a process does not wait for long. */
const GOODBYE_WITHIN_MS = 3_000;

/** Answers how it went, as an exit code. */
async function goodbye(registration: Registration, { target, output }: RegisterMeans): Promise<number> {
  try {
    const reached = target();
    const hurried = {
      ...reached,
      connectTimeoutMs: Math.min(reached.connectTimeoutMs, GOODBYE_WITHIN_MS),
      rpcTimeoutMs: Math.min(reached.rpcTimeoutMs, GOODBYE_WITHIN_MS),
    };
    await done(hurried, { method: 'DELETE', path: INSTANCE, query: registration.place });
    said(output, registration, 'deregistered');
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof UnreachableError || error instanceof CallError || error instanceof UsageError)) throw error;
    output.note(`${registration.text} could not be deregistered: ${oneLine(error.message)}`);
    return error.exitCode;
  }
}

function said(output: Output, { text, place }: Registration, what: string): void {
  if (output.isJson) output.json({ ...place, is: what });
  else output.line(`${text}: ${what}`);
}

function tell(output: Output, text: string, news: BeatingNews): void {
  if (news.kind === 'failing') output.note(`${text} is not kept alive now, and it is tried again: ${news.reason}`);
  else if (news.kind === 'heard-again') output.note(`${text} is kept alive again`);
  else if (output.isJson) output.json({ is: 'registered', isAgain: news.isAgain });
  else output.line(`${text}: registered${news.isAgain ? ' again' : ''}`);
}

/** The last is said by a terminal that is closed. */
const ENDS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Calls `act` at the first of them; the second finds Node's own handling, and so ends the process at once. Answers which it was. */
function firstSignal(act: (signal: NodeJS.Signals) => void): () => NodeJS.Signals | undefined {
  let first: NodeJS.Signals | undefined;
  const heard = (signal: NodeJS.Signals) => {
    for (const one of ENDS) process.removeListener(one, heard);
    // The kernel spares the first process of a container every signal that it does not handle itself.
    if (process.pid === 1) endOnSignal();
    first = signal;
    act(signal);
  };
  for (const one of ENDS) process.on(one, heard);
  return () => first;
}

function endOnSignal(): void {
  const end = (_: NodeJS.Signals, number: number) => process.exit(128 + number);
  for (const one of ENDS) process.on(one, end);
}
