import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import type { ViewName, Views } from '../../src/console/api.ts';

/** What a view is given: all that the bridge has told of it, and its rows in their order. */
export interface ViewProps<V extends ViewName> {
  readonly facts: Views[V]['facts'];
  readonly rows: readonly (Views[V]['row'] & { readonly key: string })[];
}

/** Those that are here: undefined until they have been loaded, beside the frame that is on the screen by then. */
export const loaded = signal<Readonly<Record<ViewName, ComponentType<ViewProps<ViewName>>>>>();
export const isUnloadable = signal(false);

export async function load(): Promise<void> {
  if (loaded.peek() !== undefined) return;
  try {
    // What a view is given is what was asked for by its name.
    loaded.value = (await import('./views/all.ts')).VIEWS as NonNullable<typeof loaded.value>;
    isUnloadable.value = false;
  } catch {
    isUnloadable.value = true;
  }
}
