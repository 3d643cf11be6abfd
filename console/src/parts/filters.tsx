import { useEffect, useState } from 'preact/hooks';
import { param, setParam } from '../route.ts';
import { number, words } from '../words.ts';

const t = words({
  en: { all: 'all', search: 'Search', page: 'Page {page} of {pages}', before: 'Previous page', next: 'Next page' },
  'zh-CN': { all: '全部', search: '搜索', page: '第 {page} / {pages} 页', before: '上一页', next: '下一页' },
});

const TYPED_FOR_MS = 150;

interface SearchProps {
  /** Of the address: `search` unless said. */
  readonly name?: string;
  readonly label?: string;
}

/** Searches as one types; `/` goes there, Esc clears it: `<SearchBox label={t('find')} />`. */
export function SearchBox({ name = 'search', label = t('search') }: SearchProps) {
  // What is being typed and not asked for yet: whatever else changes on the screen leaves it alone.
  const [typed, type] = useState<string>();
  useEffect(() => {
    if (typed === undefined) return;
    const timer = setTimeout(() => {
      setParam(name, typed);
      type(undefined);
    }, TYPED_FOR_MS);
    return () => clearTimeout(timer);
  }, [typed, name]);
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={label}
      value={typed ?? param(name)}
      onInput={({ currentTarget: { value } }) => type(value)}
      onKeyDown={({ key, currentTarget }) => {
        if (key !== 'Escape' || currentTarget.value !== '') return;
        currentTarget.blur();
      }}
    />
  );
}

interface SelectProps {
  readonly name: string;
  readonly label: string;
  /** Values, or values with what they are called. */
  readonly of: readonly (string | readonly [value: string, says: string])[];
}

/** One of several, or all, kept in the address: `<Select name="namespace" label={t('namespace')} of={facts.namespaces} />`. */
export function Select({ name, label, of }: SelectProps) {
  const value = param(name);
  const options = of.map((one) => (typeof one === 'string' ? ([one, one] as const) : one));
  // What is asked for and not there any more is still asked for.
  const isThere = value === '' || options.some(([one]) => one === value);
  return (
    <label class="filter">
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => setParam(name, currentTarget.value, 'push')}>
        <option value="">{t('all')}</option>
        {(isThere ? options : [...options, [value, value] as const]).map(([one, says]) => (
          <option key={one} value={one}>
            {says}
          </option>
        ))}
      </select>
    </label>
  );
}

/** From one page to the next; nothing where there is one: `<Pager page={facts.page} pages={facts.pages} />`. */
export function Pager({ page, pages }: { readonly page: number; readonly pages: number }) {
  if (pages <= 1) return null;
  const to = (other: number) => setParam('page', other === 1 ? '' : String(other), 'push');
  return (
    <nav class="pager" aria-label={t('page', { page, pages })}>
      <button type="button" disabled={page <= 1} aria-label={t('before')} onClick={() => to(page - 1)}>
        ←
      </button>
      <span>{t('page', { page: number(page), pages: number(pages) })}</span>
      <button type="button" disabled={page >= pages} aria-label={t('next')} onClick={() => to(page + 1)}>
        →
      </button>
    </nav>
  );
}
