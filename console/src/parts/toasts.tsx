import { dismiss, toasts } from '../toasts.ts';
import { words } from '../words.ts';

const t = words({ en: { undo: 'Undo', close: 'Close' }, 'zh-CN': { undo: '撤销', close: '关闭' } });

/** Where `toast()` and `perform()` say what they say. */
export function Toasts() {
  return (
    <div class="toasts" role="status">
      {toasts.value.map(({ id, text, level, undo }) => (
        <div key={id} class={`toast ${level}`}>
          <span>{text}</span>
          {undo !== undefined && (
            <button
              type="button"
              onClick={() => {
                dismiss(id);
                undo();
              }}
            >
              {t('undo')}
            </button>
          )}
          <button type="button" class="quiet" aria-label={t('close')} onClick={() => dismiss(id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
