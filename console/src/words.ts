import { computed, effect, signal } from '@preact/signals';

/** What the page says, in two languages: each module has its words beside it, and no key can be missing in one of them. */
export const LANGUAGES = ['en', 'zh-CN'] as const;
export type Language = (typeof LANGUAGES)[number];
export type Values = Readonly<Record<string, string | number>>;
export type Tables = Readonly<Record<Language, Readonly<Record<string, string>>>>;

/** Every table there is, for the test that both languages say everything, with the same values in it. */
export const tables: Tables[] = [];

const KEPT_AS = 'beatbridge.language';

export const language = signal<Language>(preferred());

function preferred(): Language {
  const kept = remembered(KEPT_AS);
  if (kept === 'en' || kept === 'zh-CN') return kept;
  const first = globalThis.navigator?.languages?.find((name) => /^(en|zh)/i.test(name));
  return first?.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
}

/** What a person has chosen in this browser; nothing where it keeps nothing. */
export function remembered(key: string): string | null {
  try {
    return globalThis.localStorage?.getItem(key) ?? null;
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    globalThis.localStorage?.setItem(key, value);
  } catch {
    // A browser that keeps nothing still shows what was chosen.
  }
}

export function setLanguage(to: Language): void {
  language.value = to;
  remember(KEPT_AS, to);
}

if (globalThis.document) {
  effect(() => {
    document.documentElement.lang = language.value;
  });
}

const numbers = computed(() => new Intl.NumberFormat(language.value, { maximumFractionDigits: 1 }));

export function number(value: number): string {
  return numbers.value.format(value);
}

/**
 * Words for a module. `{name}` is a value, figures by the language's habit; `{count:instance|instances}` is the first for one, else the
 * second. Read in a component, they change with the language.
 */
export function words<const W extends Readonly<Record<string, string>>>(said: {
  readonly en: W;
  readonly 'zh-CN': Readonly<Record<NoInfer<keyof W>, string>>;
}): (key: keyof W & string, values?: Values) => string {
  tables.push(said);
  return (key, values = {}) => filled(said[language.value][key] ?? '', values);
}

export function filled(text: string, values: Values): string {
  return text.replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (_, name: string, one?: string, many?: string) => {
    const value = values[name] ?? '';
    if (one !== undefined) return (value === 1 ? one : many) ?? '';
    return typeof value === 'number' ? number(value) : value;
  });
}
