import type { ComponentChildren } from 'preact';
import { words } from '../words.ts';

const t = words({ en: { loading: 'Loading …', nothing: 'Nothing here' }, 'zh-CN': { loading: '加载中…', nothing: '暂无内容' } });

/** Where there is nothing to show, says so and why: `<Empty>No instance matches.</Empty>`. */
export function Empty({ children }: { readonly children?: ComponentChildren }) {
  return <div class="empty">{children ?? t('nothing')}</div>;
}

/** In the place of a view that is on its way. */
export function Skeleton() {
  return (
    <div class="skeleton" role="status" aria-label={t('loading')}>
      <i />
      <i />
      <i />
      <i />
    </div>
  );
}
