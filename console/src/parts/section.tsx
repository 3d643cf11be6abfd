import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

interface Props {
  readonly title: string;
  /** Beside the title, small. */
  readonly note?: ComponentChildren;
  /** At the other end of the title: buttons, filters. */
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A titled part of a view: `<Section title={t('instances')} actions={<Select … />}>…</Section>`. */
export function Section({ title, note, actions, children }: Props) {
  const id = useId();
  return (
    <section class="section" aria-labelledby={id}>
      <div class="head">
        <h2 id={id}>{title}</h2>
        {note !== undefined && <small>{note}</small>}
        {actions !== undefined && <div class="actions">{actions}</div>}
      </div>
      {children}
    </section>
  );
}

/** The head of a view: its title, what it is about, and what can be done with it. */
export function Title({ title, note, actions }: Omit<Props, 'children'>) {
  return (
    <div class="head title">
      <h1>{title}</h1>
      {note !== undefined && <small>{note}</small>}
      {actions !== undefined && <div class="actions">{actions}</div>}
    </div>
  );
}
