import type { ComponentChildren } from 'preact';

interface Props {
  /** Name and value; what has no value is left out. */
  readonly of: readonly (readonly [name: string, value: ComponentChildren])[];
}

/** Names and values: `<Facts of={[[t('since'), <Ago at={since} />], …]} />`. */
export function Facts({ of }: Props) {
  return (
    <dl class="facts">
      {of
        .filter(([, value]) => value !== undefined && value !== null && value !== '' && value !== false)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

interface TileProps {
  readonly label: string;
  readonly value: ComponentChildren;
  readonly note?: ComponentChildren;
  readonly look?: 'bad' | 'good' | undefined;
  readonly to?: string;
}

/** One figure that is looked at rather than read: `<Tile label={t('serving')} value={number(n)} to={href('services')} />`. In a `div.tiles`. */
export function Tile({ label, value, note, look, to }: TileProps) {
  const inner = (
    <>
      <span class="label">
        {look === 'bad' && <span aria-hidden="true">▲ </span>}
        {label}
      </span>
      <b>{value}</b>
      {note !== undefined && <small>{note}</small>}
    </>
  );
  const name = `tile ${look ?? ''}`;
  return to === undefined ? (
    <div class={name}>{inner}</div>
  ) : (
    <a class={name} href={to}>
      {inner}
    </a>
  );
}
