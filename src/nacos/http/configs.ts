import { type Config, type Configs, configUnknown } from '../configs.ts';
import { HOME, pageOf } from '../rules.ts';
import { optional, type Params, readCount, required } from './params.ts';

/**
 * `GET /cs/configs`: one text as it is, or with `search` a page of all that match: by part of data id and group with `blur`, and else
 * to the letter. A blank one matches all, as dubbo-go looks for the revisions of an application.
 */
export function readConfigs(configs: Configs) {
  return ({ params }: { readonly params: Params }): string | object => {
    const namespace = optional(params, 'tenant') ?? HOME.namespace;
    const dataId = optional(params, 'dataId') ?? '';
    const group = optional(params, 'group') ?? '';
    const search = optional(params, 'search');
    if (search === undefined) {
      required(params, 'dataId');
      const config = configs.get({ namespace, dataId, group: group || HOME.group });
      if (config === undefined) throw configUnknown();
      return config.content;
    }
    const matches = (text: string, wanted: string) =>
      search === 'blur' ? text.includes(wanted.replaceAll('*', '')) : wanted === '' || text === wanted;
    const found = [...configs.all()].filter(
      ({ id }) => id.namespace === namespace && matches(id.dataId, dataId) && matches(id.group, group),
    );
    return pageView(found, Math.max(readCount(params, 'pageNo', 1), 1), Math.max(readCount(params, 'pageSize', 100), 1));
  };
}

function pageView(found: readonly Config[], pageNo: number, pageSize: number) {
  return {
    totalCount: found.length,
    pageNumber: pageNo,
    pagesAvailable: Math.ceil(found.length / pageSize),
    pageItems: pageOf(found, pageNo, pageSize).map(({ id, content, md5, type }, i) => ({
      id: String((pageNo - 1) * pageSize + i + 1),
      dataId: id.dataId,
      group: id.group,
      content,
      md5,
      // The default namespace is blank to some clients and `public` to others.
      tenant: id.namespace === HOME.namespace ? '' : id.namespace,
      appName: '',
      type,
    })),
  };
}
