import type { ComponentChildren } from 'preact';

const SIGNS = { info: 'ℹ', warn: '◆', error: '▲' } as const;

interface Props {
  readonly level: keyof typeof SIGNS;
  readonly children: ComponentChildren;
}

/** What is to be known before anything else: `<Banner level="warn">…</Banner>`. */
export function Banner({ level, children }: Props) {
  return (
    <div class={`banner ${level}`} role={level === 'error' ? 'alert' : 'status'}>
      <span aria-hidden="true">{SIGNS[level]}</span>
      <div>{children}</div>
    </div>
  );
}
