import { type Config, type Configs, configUnknown } from '../configs.ts';
import { HOME, pageOf } from '../rules.ts';
import { optional, readPage, required } from './params.ts';
import type { Asked } from './route.ts';

/** The call about configs that naming clients make over HTTP. */
export function configCalls({ configs }: { readonly configs: Configs }) {
  return {
    /**
     * One text as it is, or with `search` a page of all that match: by part of data id and group with `blur`, and else to the letter.
     * A blank one matches all, as dubbo-go looks for the revisions of an application.
     */
    read({ params }: Asked): string | object {
      // The default namespace is blank to some clients and `public` to others.
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
      const found: Config[] = [];
      for (const config of configs.all())
        if (config.id.namespace === namespace && matches(config.id.dataId, dataId) && matches(config.id.group, group))
          found.push(config);
      const page = readPage(params, { pageNo: 1, pageSize: 100 });
      return pageView(found, Math.max(page.pageNo, 1), Math.max(page.pageSize, 1));
    },
  };
}

function pageView(found: readonly Config[], pageNo: number, pageSize: number) {
  const start = (pageNo - 1) * pageSize;
  return {
    totalCount: found.length,
    pageNumber: pageNo,
    pagesAvailable: Math.ceil(found.length / pageSize),
    pageItems: pageOf(found, pageNo, pageSize).map(({ id, content, md5, type }, i) => ({
      id: String(start + i + 1),
      dataId: id.dataId,
      group: id.group,
      content,
      md5,
      tenant: id.namespace === HOME.namespace ? '' : id.namespace,
      appName: '',
      type,
    })),
  };
}
