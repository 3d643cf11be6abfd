import { type Config, type Configs, scopeOf } from '../configs.ts';
import { RequestError } from '../errors.ts';
import { covered } from '../gate.ts';
import { checkedConfigId, HOME, pageOf } from '../rules.ts';
import { optional, type Params, readPage, readTenant } from './params.ts';

/** Looking for texts over HTTP, and the pages in which they are answered. What has been is not kept: every page of history is empty. */

/**
 * All that match in a namespace: with `search=blur` a `*` stands for anything, and else the names are meant to the letter. A blank one
 * matches all, as dubbo-go looks for the revisions of an application.
 */
export function findConfigs(configs: Configs, params: Params, search: string): readonly Config[] {
  const { namespace } = checkedConfigId(readTenant(params), '', '');
  const matching = search === 'blur' ? matcherOf : exactly;
  const [dataId, group] = ['dataId', 'group'].map((name) => matching(optional(params, name) ?? ''));
  const content = (optional(params, 'config_detail') ?? optional(params, 'configDetail') ?? '').replaceAll('*', '');
  return [...configs.all()].filter(
    ({ id, content: text }) =>
      id.namespace === namespace &&
      covered(params.permit, 'config', scopeOf(id)) &&
      dataId?.(id.dataId) &&
      group?.(id.group) &&
      (content === '' || text.includes(content)),
  );
}

type Matcher = (text: string) => boolean;

function exactly(wanted: string): Matcher {
  return (text) => wanted === '' || text === wanted;
}

/** In one pass: a pattern that a caller makes up is no regular expression here. */
function matcherOf(pattern: string): Matcher {
  const [first = '', ...rest] = pattern.split('*');
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
): object {
  const page = readPage(params, { pageNo: 1, pageSize: 100 });
  const [pageNo, pageSize] = [Math.max(page.pageNo, 1), Math.max(page.pageSize, 1)];
  const items = pageOf(found, pageNo, pageSize);
  const bytes = items.reduce((sum, config) => sum + config.bytes, 0);
  if (bytes > maxBytes)
    throw new RequestError(
      'invalid',
      `the texts of a page must not exceed ${maxBytes} bytes, got ${bytes}: ask for a smaller page`,
    );
  return {
    totalCount: found.length,
    pageNumber: pageNo,
    pagesAvailable: Math.ceil(found.length / pageSize),
    pageItems: items.map(viewOf),
  };
}

function itemView(config: Config): object {
  const { id, serial, content, md5, type } = config;
  const named = { id: String(serial), dataId: id.dataId, group: id.group };
  return { ...named, content, md5, encryptedDataKey: null, tenant: tenantOf(config), appName: '', type };
}

/** Every text of a namespace, without what it says. */
export function namesView(configs: Configs, params: Params): readonly object[] {
  const unsaid = { content: null, md5: null, encryptedDataKey: null };
  return findConfigs(configs, params, 'accurate').map((config) => {
    const { id, serial, type, modifiedAt } = config;
    const named = { id: String(serial), dataId: id.dataId, group: id.group, ...unsaid, tenant: tenantOf(config) };
    return { ...named, appName: '', type, lastModified: modifiedAt };
  });
}

/** The default namespace has no name here. */
export function tenantOf({ id }: Config): string {
  return id.namespace === HOME.namespace ? '' : id.namespace;
}
