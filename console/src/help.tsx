import { isHelpOpen, PLACES } from './keys.ts';
import { Dialog } from './parts/dialog.tsx';
import { viewTitle } from './titles.ts';
import { words } from './words.ts';

const t = words({
  en: {
    title: 'Keys',
    search: 'search',
    rows: 'next and previous row',
    open: 'open the row',
    close: 'close, clear the search',
    help: 'this list',
  },
  'zh-CN': {
    title: '快捷键',
    search: '搜索',
    rows: '下一行、上一行',
    open: '打开所选行',
    close: '关闭、清空搜索',
    help: '本列表',
  },
});

/** Every key that the page takes. */
export function Help() {
  const keys: readonly (readonly [string, string])[] = [
    ['/', t('search')],
    ['j k ↓ ↑', t('rows')],
    ['Enter', t('open')],
    ['Esc', t('close')],
    ...Object.entries(PLACES).map(([key, view]) => [`g ${key}`, viewTitle(view)] as const),
    ['?', t('help')],
  ];
  return (
    <Dialog title={t('title')} onClose={() => (isHelpOpen.value = false)}>
      <dl class="facts">
        {keys.map(([key, says]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{says}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
