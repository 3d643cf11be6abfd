import { effect, signal } from '@preact/signals';
import { remember, remembered } from './words.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEPT_AS = 'beatbridge.theme';

export const theme = signal<Theme>(THEMES.find((name) => name === remembered(KEPT_AS)) ?? 'system');

export function setTheme(to: Theme): void {
  theme.value = to;
  remember(KEPT_AS, to);
}

export function startTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
}
