import { useEffect, useState } from 'preact/hooks';
import { words } from '../words.ts';

const t = words({
  en: { copy: 'Copy', copied: 'Copied', failed: 'Select and copy it by hand' },
  'zh-CN': { copy: '复制', copied: '已复制', failed: '请手动选择并复制' },
});

const SAID_FOR_MS = 2_000;

/** A button that copies a text, and says so: `<Copy text={address} />`. */
export function Copy({ text, label }: { readonly text: string; readonly label?: string }) {
  const [said, say] = useState<'copied' | 'failed'>();
  useEffect(() => {
    if (said === undefined) return;
    const timer = setTimeout(() => say(undefined), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <button
      type="button"
      class="quiet copy"
      title={label ?? t('copy')}
      aria-label={said === undefined ? (label ?? t('copy')) : t(said)}
      onClick={async () => say((await copied(text)) ? 'copied' : 'failed')}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={said === 'copied' ? 'M3 9l3 3 7-8' : 'M6 6h7v7H6zM10 3H3v7'} />
      </svg>
      <span role="status">{said !== undefined && t(said)}</span>
    </button>
  );
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page that came over plain http from elsewhere has no clipboard.
    return copiedBySelection(text);
  }
}

function copiedBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  // What is outside an open dialog cannot be selected.
  const active = document.activeElement;
  (active?.closest('dialog') ?? document.body).append(area);
  area.select();
  const isDone = document.execCommand('copy');
  area.remove();
  if (active instanceof HTMLElement) active.focus();
  return isDone;
}

/** A text to be pasted elsewhere, with a button that copies it: `<Code text={snippet} label="HAProxy" />`. */
export function Code({ text, label }: { readonly text: string; readonly label?: string }) {
  return (
    <figure class="code">
      {label !== undefined && <figcaption>{label}</figcaption>}
      <Copy text={text} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
    </figure>
  );
}
