import { type Config, type Configs, scopeOf } from '../configs.ts';
import { RequestError } from '../errors.ts';
import { covered } from '../gate.ts';
import { Long, Many } from '../many.ts';
import { checkedConfigId, HOME, pageOf } from '../rules.ts';
import { AT_A_TIME, each, type Paused } from '../turns.ts';
import { optional, type Params, readPage, readTenant } from './params.ts';
import { TextSearch } from './text-search.ts';

/** Looking for texts over HTTP, and the pages in which they are answered. What has been is not kept: every page of history is empty. */

/**
 * All that match in a namespace: with `search=blur` a `*` stands for anything, and else the names are meant to the letter. A blank one
 * matches all, as dubbo-go looks for the revisions of an application.
 */
export function* findConfigs(configs: Configs, params: Params, search: string): Paused<readonly Config[]> {
  const { namespace } = checkedConfigId(readTenant(params), '', '');
  const matching = search === 'blur' ? matcherOf : exactly;
  const [isDataId, isGroup] = [matching(optional(params, 'dataId') ?? ''), matching(optional(params, 'group') ?? '')];
  const named: Config[] = [];
  yield* each(configs.all(), (config) => {
    const { id } = config;
    if (id.namespace !== namespace || !isDataId(id.dataId) || !isGroup(id.group)) return;
    if (covered(params.permit, 'config', scopeOf(id))) named.push(config);
  });
  const content = (optional(params, 'config_detail') ?? optional(params, 'configDetail') ?? '').replaceAll('*', '');
  if (content === '') return named;
  const contents = new TextSearch(content);
  const found: Config[] = [];
  for (const [i, config] of named.entries()) {
    if (i > 0 && i % AT_A_TIME === 0) yield;
    if (yield* contents.isIn(config.content)) found.push(config);
  }
  return found;
}

type Matcher = (text: string) => boolean;

function exactly(wanted: string): Matcher {
  return (text) => wanted === '' || text === wanted;
}

/** In one pass: a pattern that a caller makes up is no regular expression here. */
function matcherOf(pattern: string): Matcher {
  // One star after another is one.
  const [first = '', ...rest] = pattern.split(/\*+/);
  const last = rest.pop();
  if (last === undefined) return exactly(pattern);
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at + last.length <= text.length;
  };
}

/** The page that is asked for. Refused when its texts are too long together. */
export function pageOfConfigs(
  found: readonly Config[],
  params: Params,
  maxBytes: number,
  viewOf: (config: Config) => object = itemView,
): Long {
  const asked = readPage(params, { pageNo: 1, pageSize: 100 });
  const [pageNo, pageSize] = [Math.max(asked.pageNo, 1), Math.max(asked.pageSize, 1)];
  const items = pageOf(found, pageNo, pageSize);
  const bytes = items.reduce((sum, config) => sum + config.bytes, 0);
  if (bytes > maxBytes)
    throw new RequestError(
      'invalid',
      `the texts of a page must not exceed ${maxBytes} bytes, got ${bytes}: ask for a smaller page`,
    );
  const page = {
    totalCount: found.length,
    pageNumber: pageNo,
    pagesAvailable: Math.ceil(found.length / pageSize),
    pageItems: new Many(itemsOf(items, viewOf)),
  };
  return new Long(page, viewOf === itemView ? bytes : 0);
}

/** Each with pauses by its length. */
function* itemsOf(items: readonly Config[], viewOf: (config: Config) => object): Generator<object | undefined> {
  for (const config of items) {
    for (let left = config.bytes; left > WORK_BYTES; left -= WORK_BYTES) yield undefined;
    yield viewOf(config);
  }
}

/** As much work as one short text. */
const WORK_BYTES = 2_048;

function itemView(config: Config): object {
  const { id, serial, content, md5, type } = config;
  const named = { id: String(serial), dataId: id.dataId, group: id.group };
  return { ...named, content, md5, encryptedDataKey: null, tenant: tenantOf(config), appName: '', type };
}

/** Without what it says, in a list of all. */
export function nameView(config: Config): object {
  const { id, serial, type, modifiedAt } = config;
  const unsaid = { content: null, md5: null, encryptedDataKey: null };
  const named = { id: String(serial), dataId: id.dataId, group: id.group, ...unsaid, tenant: tenantOf(config) };
  return { ...named, appName: '', type, lastModified: modifiedAt };
}

/** The default namespace has no name here. */
export function tenantOf({ id }: Config): string {
  return id.namespace === HOME.namespace ? '' : id.namespace;
}
