import { signal } from '@preact/signals';
import type { Action } from '../../src/console/api.ts';
import { act } from './session.ts';
import { words } from './words.ts';

const t = words({
  en: { undone: 'Undone', failed: 'Not done: {reason}', warning: 'Done, but: {warning}' },
  'zh-CN': { undone: '已撤销', failed: '未完成：{reason}', warning: '已完成，但是：{warning}' },
});

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly level: 'info' | 'warn' | 'error';
  readonly undo?: () => void;
}

const SHOWN_FOR_MS = 8_000;

export const toasts = signal<readonly Toast[]>([]);
let last = 0;

/** Says something beside what is on the screen, to those who listen too. What can be undone stays longer. */
export function toast(text: string, { level = 'info', undo }: Partial<Pick<Toast, 'level' | 'undo'>> = {}): void {
  last += 1;
  const id = last;
  toasts.value = [...toasts.value.slice(-3), { id, text, level, ...(undo !== undefined && { undo }) }];
  setTimeout(() => dismiss(id), undo === undefined ? SHOWN_FOR_MS : SHOWN_FOR_MS * 2);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

/** Does it, says `says` once it is done, and offers to take it back where that can be. False: it was refused, which is said. */
export async function perform(action: Action, says: string): Promise<boolean> {
  const outcome = await act(action);
  if (!outcome.ok) {
    toast(t('failed', { reason: outcome.reason }), { level: 'error' });
    return false;
  }
  // What failed before has been done another way by now.
  toasts.value = toasts.value.filter(({ level }) => level !== 'error');
  const { undo, warning } = outcome.value;
  toast(says, undo === undefined ? {} : { undo: () => void perform(undo, t('undone')) });
  if (warning !== undefined) toast(t('warning', { warning }), { level: 'warn' });
  return true;
}
