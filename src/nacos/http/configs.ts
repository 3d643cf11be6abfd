import { flat } from '../../registry/flat.ts';
import type { Permit } from '../../rights/admission.ts';
import { LOGIN } from '../../rights/facts.ts';
import { ASKED_AGAIN_MS } from '../../wire/asked-again.ts';
import { headBytesOf, type Request } from '../../wire/exchange.ts';
import type { ConfigListener } from '../config-listeners.ts';
import { type Config, type ConfigId, type Configs, configChanged, configUnknown, scopeOf } from '../configs.ts';
import { MissingParam, RequestError, shown } from '../errors.ts';
import { covered, NotPermitted, permitted } from '../gate.ts';
import { Long, manyOf } from '../many.ts';
import { checkedConfigId, checkedPublication, HOME } from '../rules.ts';
import { after, each, type Paused } from '../turns.ts';
import { findConfigs, nameView, pageOfConfigs, tenantOf } from './config-pages.ts';
import { type ListenedText, readListening, writeListening } from './listening-configs.ts';
import { changedAmong, type Waiter } from './long-polls.ts';
import { optional, type Params, readTenant, readVerbatim, required } from './params.ts';
import { Answer, type Asked, type HttpRooms } from './route.ts';

/** What the calls about texts work on. */
export type ConfigsRoom = Pick<HttpRooms, 'configs' | 'configListeners' | 'longPolls' | 'limits' | 'gate' | 'walks'>;

/** The calls about texts over HTTP, of all versions: the same texts as over gRPC. */
export function configCalls(room: ConfigsRoom) {
  const { configs, limits, walks } = room;
  const get = ({ params }: Asked): Answer => textAnswer(known(configs, readConfigId(params)));
  const page = ({ params, caller }: Asked, search: string): object | Promise<object> => {
    const found = walks.run(findConfigs(configs, params, search), caller);
    return after(found, (all) => pageOfConfigs(all, params, limits.maxConfigPageBytes));
  };
  return {
    get,
    publish: (asked: Asked): boolean => publishText(configs, readConfigId(asked.params), asked),
    remove: (asked: Asked): boolean | object => remove(configs, asked),
    listen: (asked: Asked): Answer | Promise<Answer> => listen(room, asked),

    /** One text, all that is known of it, or a page of those that match: which of them, other parameters say. */
    read(asked: Asked): Answer | object | string | Promise<object> {
      const { params } = asked;
      const search = optional(params, 'search') ?? '';
      if (search === 'accurate' || search === 'blur') return page(asked, search);
      // Never kept: see `publish`.
      if (optional(params, 'beta') === 'true') return { code: 200, message: 'query beta ok', data: null };
      if (optional(params, 'show') !== 'all') return get(asked);
      const config = configs.get(readConfigId(params));
      return config === undefined ? '' : detailView(config);
    },

    searchDetail: (asked: Asked) => page(asked, optional(asked.params, 'search') ?? 'blur'),

    /** What texts were is not kept: a page with nothing in it, and for one entry what Nacos says of one that it does not know. */
    history: ({ params }: Asked): object | string =>
      optional(params, 'nid') === undefined ? pageOfConfigs([], params, limits.maxConfigPageBytes) : '',
    historyPageV2: ({ params }: Asked): object => pageOfConfigs([], params, limits.maxConfigPageBytes),
    historyEntry({ params }: Asked): string {
      required(params, 'id');
      return '';
    },
    historyEntryV2({ params }: Asked): null {
      required(params, optional(params, 'id') === undefined ? 'nid' : 'id');
      return null;
    },
    health: () => 'UP',
    names: ({ params, caller }: Asked) =>
      after(walks.run(findConfigs(configs, params, 'accurate'), caller), (all) => new Long(manyOf(all, nameView))),

    /** Who listens to a text, by address, each with what it has. */
    listenersOf({ params, caller }: Asked): object | Promise<object> {
      const heard = walks.run(
        listenersByName(room.configListeners.of(readConfigId(params)), ({ ip }) => ip),
        caller,
      );
      // The spelling is Nacos's.
      return after(heard, (status) => new Long({ collectStatus: 200, lisentersGroupkeyStatus: status }));
    },

    /** What is listened to from an address. */
    listenedFrom({ params, caller }: Asked): object | Promise<object> {
      const heard = walks.run(listenersByName(heardAt(room, params), namedIn), caller);
      return after(heard, (status) => new Long({ collectStatus: 200, lisentersGroupkeyStatus: status }));
    },
  };
}

/** Those at the address that is named, of texts that the caller may read; undefined is none, but work. */
export function heardAt(
  { configListeners }: Pick<ConfigsRoom, 'configListeners'>,
  params: Params,
): Iterable<ConfigListener | undefined> {
  return heard(configListeners, required(params, 'ip'), params);
}

function* heard(listeners: ConfigsRoom['configListeners'], ip: string, { permit }: Params) {
  for (const one of listeners.all()) yield one.ip === ip && covered(permit, 'config', scopeOf(one.text)) ? one : undefined;
}

/** Removes those of these numbers that are the caller's to remove. Of others nobody learns by their numbers whether they are there. */
export function removeNumbered(configs: Configs, serials: readonly string[], { permit }: Params): void {
  configs.removeAll(serials, (id) => covered(permit, 'config', scopeOf(id)));
}

/** True, as Nacos answers: it is written, in place of what was there. */
export function publishText(configs: Configs, id: ConfigId, { params, header }: Pick<Asked, 'params' | 'header'>): boolean {
  const { content, type } = checkedPublication({
    content: readVerbatim(params, 'content'),
    type: optional(params, 'type') ?? '',
    tag: optional(params, 'tag') ?? '',
    betaIps: header('betaips') ?? '',
    encryptedDataKey: optional(params, 'encryptedDataKey') ?? '',
  });
  if (!configs.publish(id, content, type, header('casmd5')?.trim() ?? '')) throw configChanged();
  return true;
}

/** True, as Nacos answers, also where there is none. With a tag it is about a text for some readers alone: the one for all stays. */
export function removeText(configs: Configs, id: ConfigId, params: Params): boolean {
  if (optional(params, 'tag') === undefined) configs.remove(id);
  return true;
}

/** One text, or several by their numbers. What is for some readers alone was never kept. */
function remove(configs: Configs, { params }: Asked): boolean | object {
  if (optional(params, 'beta') === 'true') return { code: 200, message: 'stop beta ok', data: true };
  if (optional(params, 'delType') === 'ids') {
    removeNumbered(configs, (optional(params, 'ids') ?? '').split(','), params);
    return { code: 200, message: null, data: true };
  }
  return removeText(configs, readConfigId(params), params);
}

/**
 * What is not as the caller has it: at once if there is anything, or if the caller does not wait; else as soon as there is, or nothing
 * when its time is over. An empty answer that came at once would have npm's client ask 2,400 times a second.
 */
function listen(room: ConfigsRoom, asked: Asked): Answer | Promise<Answer> {
  const { configs, limits } = room;
  const texts = readListening(asked.params, limits.maxListenedConfigs);
  permittedAll(asked.params.permit, texts);
  const timeout = asked.header('long-pulling-timeout');
  if (timeout === undefined) return shortAnswer(changedAmong(configs, texts));
  const ms = waitOf(timeout, limits.maxLongPollMs);
  // Of a text that it asks for the first time, a client wants to know how it is.
  const noHangup = asked.header('long-pulling-timeout-no-hangup') === 'true';
  // Behind others over its connection it would wait uncounted. No client of Nacos asks before it is answered.
  if (noHangup || !asked.caller.isNext) return changesAnswer(changedAmong(configs, texts));
  return waited(room, waiterOf(asked, ms), texts).then(changesAnswer);
}

/** Who waits, and all that is kept of what it has said, beside its texts. */
interface Waiting extends Waiter {
  readonly request: Request;
  readonly bytes: number;
  /** By what it has said who it is; undefined where nobody is asked. */
  readonly login: readonly (readonly [name: string, value: string])[] | undefined;
}

function waiterOf({ caller, params, request }: Asked, ms: number): Waiting {
  const { ip, onLeave } = caller;
  const login = params.permit?.user === undefined ? undefined : ownPairs(params);
  let bytes = headBytesOf(request);
  for (const [name, value] of login ?? []) bytes += name.length + value.length;
  return { ip, ms, onLeave, request, login, bytes };
}

/** What says who asks, and no more of the request. */
function ownPairs(params: Params): (readonly [name: string, value: string])[] {
  return [...params.pairs()].filter(([name]) => LOGIN.has(name.toLowerCase())).map(([name, value]) => [flat(name), flat(value)]);
}

/** Whoever has logged in is asked again who he is, each minute and before he is told: a user is disabled, or a login is over. */
async function waited(
  { longPolls, gate }: ConfigsRoom,
  waiting: Waiting,
  texts: readonly ListenedText[],
): Promise<readonly ListenedText[]> {
  const { login, request } = waiting;
  if (gate === undefined || login === undefined) return longPolls.wait(texts, waiting);
  for (let left = waiting.ms; ; left -= ASKED_AGAIN_MS) {
    const changed = await longPolls.wait(texts, { ...waiting, ms: Math.min(left, ASKED_AGAIN_MS) });
    if (changed.length === 0 && left <= ASKED_AGAIN_MS) return changed;
    const facts = { params: login, ownParams: false, isScoped: true, isChange: false, example: 'listen to texts' };
    const admission = await gate.admit('read', request, facts);
    if (admission.isRefusal) throw new NotPermitted(admission);
    permittedAll(admission, texts);
    if (changed.length > 0) return changed;
  }
}

function permittedAll(permit: Permit | undefined, texts: readonly ListenedText[]): void {
  for (const { id } of texts) if (id !== undefined) permitted(permit, 'config', scopeOf(id));
}

/** So much sooner than the client gives up. */
const ANSWER_AHEAD_MS = 500;
/** PHP's client says 30, and means seconds. */
const LEAST_WAIT_MS = 10_000;

function waitOf(timeout: string, mostMs: number): number {
  if (!/^[+-]?\d+$/.test(timeout.trim())) throw new RequestError('invalid', `caused: For input string: "${shown(timeout)}";`);
  return Math.min(Math.max(LEAST_WAIT_MS, Number(timeout) - ANSWER_AHEAD_MS), mostMs);
}

const UNCACHED = { Pragma: 'no-cache', Expires: 'Thu, 01 Jan 1970 00:00:00 GMT', 'Cache-Control': 'no-cache,no-store' };
const JSON_TYPE = { 'Content-Type': 'application/json;charset=UTF-8' };

/** Its type is none that it has, but what Nacos says. */
function changesAnswer(texts: Parameters<typeof writeListening>[0]): Answer {
  const body = writeListening(texts);
  return new Answer(body, body === '' ? JSON_TYPE : { ...UNCACHED, ...JSON_TYPE });
}

/** Callers that do not wait read it in headers: the one without tenants, and the one of today. */
function shortAnswer(texts: Parameters<typeof writeListening>[0]): Answer {
  const old = texts.map(({ dataId, group }) => `${dataId.trim()}:${group.trim()};`).join('');
  const probed = { 'Probe-Modify-Response': old, 'Probe-Modify-Response-New': writeListening(texts).trim() };
  return new Answer('', { ...JSON_TYPE, ...(texts.length > 0 && { ...UNCACHED, ...probed }) });
}

function textAnswer({ content, md5, type, modifiedAt }: Config): Answer {
  return new Answer(content, {
    ...UNCACHED,
    'Content-MD5': md5,
    'Config-Type': type,
    'Last-Modified': new Date(modifiedAt).toUTCString(),
    'Encrypted-Data-Key': '',
  });
}

function detailView(config: Config): object {
  const { id, serial, content, md5, type, createdAt, modifiedAt } = config;
  const named = { id: String(serial), dataId: id.dataId, group: id.group, content, md5, encryptedDataKey: '' };
  const times = { createTime: createdAt, modifyTime: modifiedAt };
  const unsaid = { createUser: null, createIp: null, desc: null, use: null, effect: null, schema: null, configTags: null };
  return { ...named, tenant: tenantOf(config), appName: '', type, ...times, ...unsaid };
}

/** What each has of the text, by the name that it is given; of several with one name the last. */
export function* listenersByName(
  listeners: Iterable<ConfigListener | undefined>,
  nameOf: (listener: ConfigListener) => string,
): Paused<object> {
  const named = new Map<string, string>();
  yield* each(listeners, (listener) => listener && named.set(nameOf(listener), listener.md5));
  return Object.fromEntries(named);
}

/** `dataId+group`, and `+tenant` where it is not the default one. */
export function namedIn({ text: { namespace, group, dataId } }: ConfigListener): string {
  return [dataId, group, ...(namespace === HOME.namespace ? [] : [namespace])].join('+');
}

function known(configs: Configs, id: ConfigId): Config {
  const config = configs.get(id);
  if (config === undefined) throw configUnknown();
  return config;
}

/** The later names of group and tenant are taken by every version: PHP's clients mix them. */
export function readConfigId(params: Params): ConfigId {
  const dataId = optional(params, 'dataId');
  const group = optional(params, 'group') ?? optional(params, 'groupName');
  if (dataId === undefined) throw new MissingParam('dataId');
  if (group === undefined) throw new MissingParam('group');
  const id = checkedConfigId(readTenant(params), group, dataId);
  permitted(params.permit, 'config', scopeOf(id));
  return id;
}
