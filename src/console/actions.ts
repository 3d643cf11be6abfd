import type { Edit } from '../registry/instance.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { Source } from '../registry/source.ts';
import type { Permit } from '../rights/admission.ts';
import type { Request, Serve } from '../wire/exchange.ts';
import type { Action, Done, InstanceRef, ServiceRef } from './api.ts';
import { Fault, faultOf, posting } from './posting.ts';
import { readAction } from './read-action.ts';
import type { PageToken } from './session.ts';
import type { Operations, Sources } from './sources.ts';

/**
 * What operators do from the page: each is a command that they have beside it, by its rules, and an event with their name. Each answers what
 * takes it back, to the letter, where something does.
 */
export type ActingSources = Pick<Sources, 'registry' | 'operations' | 'reception' | 'wallClock' | 'bodies'>;

export function actPath(sources: ActingSources, page: PageToken): Serve {
  const { reception, bodies } = sources;
  const admit = async (req: Request) => {
    const fault = page.faultOf(req);
    if (fault !== undefined) return fault;
    const permit = await reception.admitOperator(req);
    return permit.isRefusal ? faultOf(permit) : permit;
  };
  return posting({ bodies }, admit, async (req, said, permit) => {
    const action = readAction(said);
    if (typeof action === 'string') return new Fault(400, action);
    const refusal = isEverywhere(action) ? undefined : permit.refusalFor({ kind: 'naming', ...nameOf(action) });
    if (refusal !== undefined) return faultOf(refusal);
    return keptOf(sources, () => act(action, { ...sources, permit, by: sources.operations.byOf(req, permit) }));
  });
}

/** Of all services that have the address those are touched that he may operate on. */
function isEverywhere(action: Action): boolean {
  return 'everywhere' in action && action.everywhere === true;
}

/** Once it would survive a restart; what would not is in force all the same, and said to be so. */
async function keptOf({ operations }: ActingSources, run: () => Promise<Action | undefined>): Promise<Done | Fault> {
  const { durability, refusalOf } = operations;
  const before = durability?.owed;
  try {
    const undo = await run();
    const done: Done = { ok: true, ...(undo !== undefined && { undo }) };
    if (durability === undefined || durability.owed === before) return done;
    return await durability.settled().then(
      () => done,
      (error: unknown) => ({ ...done, warning: error instanceof Error ? error.message : String(error) }),
    );
  } catch (error) {
    if (error instanceof Refused) return error.fault;
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return new Fault(refusal.status, refusal.reason);
  }
}

/** What is refused in the middle of an action, before anything is done of it. */
class Refused extends Error {
  readonly fault: Fault;

  constructor(status: number, reason: string) {
    super(reason);
    this.fault = new Fault(status, reason);
  }
}

interface Acting extends ActingSources {
  readonly permit: Permit;
  readonly by: Source;
}

/** Answers what takes it back. */
function act(action: Action, acting: Acting): Promise<Action | undefined> {
  switch (action.do) {
    case 'disable':
    case 'enable':
      return amended(action, { enabled: action.do === 'enable' }, acting, action.reason);
    case 'weight':
      return amended(action, { weight: action.weight }, acting);
    case 'metadata':
      return amended(action, { metadata: action.metadata }, acting);
    case 'edit':
    case 'unedit':
      return replaced(action, acting);
    case 'deregister':
      acting.operations.deregister(nameOf(action), action, acting.by);
      return Promise.resolve(undefined);
    case 'drain':
    case 'resume':
      return drained(action, acting);
    case 'create-service':
    case 'delete-service':
      return Promise.resolve(serviceActed(action, acting));
    default:
      return action satisfies never;
  }
}

async function amended(ref: InstanceRef, edit: Edit, acting: Acting, reason?: string): Promise<Action> {
  const { operations, by } = acting;
  checkReason(operations, reason);
  const before = editOf(ref, acting);
  operations.amend(nameOf(ref), ref, edit, reason === undefined ? by : { ...by, reason });
  return undoOf(ref, before, edit);
}

async function replaced(action: Extract<Action, { do: 'edit' | 'unedit' }>, acting: Acting): Promise<Action> {
  const { operations, by } = acting;
  const before = editOf(action, acting);
  if (action.do === 'unedit') {
    operations.unedit(nameOf(action), action, by);
    return undoOf(action, before, before);
  }
  const ended = endedIn(action.ended);
  operations.replaceEdit(nameOf(action), action, without(over(before, action.edit), ended), by);
  return undoOf(action, before, over(action.edit, ended));
}

function editOf(ref: InstanceRef, { registry }: Acting): Edit {
  const service = nameOf(ref);
  return registry.instance(service, ref)?.edit ?? registry.awaitedEdit(service, ref) ?? {};
}

/** Whatever parts of it `touched` names are as they were before. */
function undoOf(ref: InstanceRef, before: Edit, touched: Edit): Action {
  const own = new Map(Object.entries(before.metadata ?? {}));
  const keys = Object.keys(touched.metadata ?? {});
  const metadata = Object.fromEntries([...own].filter(([key]) => keys.includes(key)));
  const parts = (['enabled', 'weight'] as const).filter((part) => touched[part] !== undefined);
  const edit = {
    ...Object.fromEntries(parts.flatMap((part) => (before[part] === undefined ? [] : [[part, before[part]]]))),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
  const ended = [
    ...parts.filter((part) => before[part] === undefined),
    ...keys.filter((key) => !own.has(key)).map((key) => METADATA + key),
  ];
  return { do: 'edit', ...instanceOf(ref), edit, ended };
}

const METADATA = 'metadata.';

/** The parts that are named: what their values are does not matter. */
function endedIn(names: readonly string[]): Edit {
  const keys = names
    .filter((name) => name.startsWith(METADATA))
    .map((name): [string, null] => [name.slice(METADATA.length), null]);
  return {
    ...(names.includes('enabled') && { enabled: true }),
    ...(names.includes('weight') && { weight: 1 }),
    ...(keys.length > 0 && { metadata: Object.fromEntries(keys) }),
  };
}

// Entries, and not assignments: a key may be called __proto__.
function over(one: Edit, other: Edit): Edit {
  const keys = [...Object.entries(one.metadata ?? {}), ...Object.entries(other.metadata ?? {})];
  return { ...one, ...other, ...(keys.length > 0 && { metadata: Object.fromEntries(keys) }) };
}

function without({ enabled, weight, metadata = {} }: Edit, ended: Edit): Edit {
  const left = Object.entries(metadata).filter(([key]) => !Object.hasOwn(ended.metadata ?? {}, key));
  return {
    ...(enabled !== undefined && ended.enabled === undefined && { enabled }),
    ...(weight !== undefined && ended.weight === undefined && { weight }),
    ...(left.length > 0 && { metadata: Object.fromEntries(left) }),
  };
}

async function drained(action: Draining, acting: Acting): Promise<Action | undefined> {
  const { operations, permit, by } = acting;
  const { ip, port, everywhere } = action;
  const at = { ip, port, service: everywhere === true ? undefined : nameOf(action) };
  const ref = { ...instanceOf(action), ...(everywhere === true && { everywhere }) };
  const before = drainOf(action, acting);
  const again: Action | undefined = before && { do: 'drain', ...ref, ...before };
  if (action.do === 'resume') {
    if ((await operations.resume(at, { by, permit })) > 0) return again;
    throw new Refused(404, `nothing is drained at ${ip}:${port}`);
  }
  const { forMs, reason = '' } = action;
  if (!operations.mayLast(forMs)) throw new Refused(400, `forMs must be 1 s to 7 days in milliseconds, got ${forMs}`);
  checkReason(operations, reason);
  if ((await operations.drain(at, { forMs, reason }, { by, permit })) > 0) return again ?? { do: 'resume', ...ref };
  throw new Refused(404, `no instance is at ${ip}:${port}`);
}

type Draining = Extract<Action, { do: 'drain' | 'resume' }>;

/** What of a drain is left. Who acts on all services of an address may name one that is not for him, and hears nothing of it. */
function drainOf(ref: InstanceRef, { registry, wallClock, permit }: Acting) {
  const service = nameOf(ref);
  const drain = registry.instance(service, ref)?.drain;
  if (drain === undefined || !permit.covers({ kind: 'naming', ...service })) return undefined;
  return { forMs: Math.max(LEAST_DRAIN_MS, drain.until - wallClock()), ...(drain.reason !== '' && { reason: drain.reason }) };
}

const LEAST_DRAIN_MS = 1_000;

function checkReason({ reasonFault }: Operations, reason = ''): void {
  const fault = reasonFault(reason);
  if (fault !== undefined) throw new Refused(400, fault);
}

/** What a service was told beside its name nobody can give back: there is no undo of that. */
function serviceActed(action: Extract<Action, { do: `${string}-service` }>, { operations, by }: Acting): Action | undefined {
  const [service, ref] = [nameOf(action), serviceOf(action)];
  if (action.do === 'create-service') {
    operations.createService(service, by);
    return { do: 'delete-service', ...ref };
  }
  const isAsCreated = operations.isAsCreated(service);
  operations.dropService(service, by);
  return isAsCreated ? { do: 'create-service', ...ref } : undefined;
}

function nameOf({ namespace, group, service: name }: ServiceRef): ServiceName {
  return { namespace, group, name };
}

function serviceOf({ namespace, group, service }: ServiceRef): ServiceRef {
  return { namespace, group, service };
}

function instanceOf({ ip, port, ...ref }: InstanceRef): InstanceRef {
  return { ...serviceOf(ref), ip, port };
}
