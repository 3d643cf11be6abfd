import { signal } from '@preact/signals';
import { go, href, type PageName } from './route.ts';

/** The keyboard: what is pressed where nothing is being typed. `?` shows the list. */
export const isHelpOpen = signal(false);

export const PLACES = {
  n: 'now',
  s: 'services',
  e: 'events',
  c: 'clients',
  p: 'pushes',
  h: 'name',
  b: 'server',
} as const satisfies Readonly<Record<string, PageName>>;

const NEXT_WITHIN_MS = 1_500;
let wentAt = 0;

export function startKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (take(event.key, event.timeStamp)) event.preventDefault();
  });
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable || ['INPUT', 'SELECT', 'TEXTAREA'].includes(target.tagName) || target.closest('dialog') !== null
  );
}

function take(key: string, at: number): boolean {
  const isPlace = at - wentAt < NEXT_WITHIN_MS;
  wentAt = key === 'g' ? at : 0;
  if (isPlace && key in PLACES) {
    // One of them, as was just seen.
    go(href(PLACES[key as keyof typeof PLACES]));
    return true;
  }
  if (key === '?') {
    isHelpOpen.value = true;
    return true;
  }
  if (key === '/') return focused('input[type=search]');
  if (key === 'j' || key === 'ArrowDown') return step(1, key);
  if (key === 'k' || key === 'ArrowUp') return step(-1, key);
  return false;
}

function focused(selector: string): boolean {
  const found =
    document.querySelector<HTMLInputElement>(`main ${selector}`) ?? document.querySelector<HTMLInputElement>(selector);
  found?.focus();
  found?.select();
  return found !== null;
}

/** From one row to the next: those that lead somewhere, and events that have more to say. Arrows scroll, until one is in a table. */
function step(by: 1 | -1, key: string): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>('main tr[tabindex], main .events summary')];
  const at = rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
  if (rows.length === 0 || (at < 0 && key.startsWith('Arrow'))) return false;
  rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))]?.focus();
  return true;
}
