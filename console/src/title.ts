import { effect, signal } from '@preact/signals';
import { route } from './route.ts';
import { viewTitle } from './titles.ts';

/** How many services fail, as the view that knows it says: the title and the icon of the page show it. */
export const failingCount = signal(0);

export function startTitle(): void {
  effect(() => {
    const count = failingCount.value;
    const { view, params } = route.value;
    const whom = params.service ?? params.id ?? '';
    document.title = `${count > 0 ? `(${count}) ` : ''}beatbridge · ${viewTitle(view)}${whom === '' ? '' : ` · ${whom}`}`;
    const icon = document.getElementById('favicon');
    if (icon instanceof HTMLLinkElement) icon.href = count > 0 ? './favicon-failing.svg' : './favicon.svg';
  });
}
