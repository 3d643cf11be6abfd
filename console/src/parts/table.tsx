import type { ComponentChildren } from 'preact';
import { go, param, setParam } from '../route.ts';
import { Empty } from './empty.tsx';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** By what `sort` of the address it is sorted, where it can be. */
  readonly sort?: string;
  readonly isNumber?: boolean;
  /** What a small screen does without. */
  readonly isMinor?: boolean;
}

interface Props<Row> {
  /** What the table is of: read out. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly (Row & { readonly key: string })[];
  /** Where a row leads: by click and Enter, with arrows from one to the next. */
  readonly to?: (row: Row) => string;
  /** A row that is to be seen first. */
  readonly look?: (row: Row) => 'bad' | 'warn' | 'off' | undefined;
  /** Below a row, over its whole width. */
  readonly more?: (row: Row) => ComponentChildren;
  /** What is said where there is no row. */
  readonly empty?: ComponentChildren;
}

/** Rows in columns; on a small screen each is a card: `<Table caption columns={[{ title, cell }]} rows={rows} to={(row) => href(…)} />`. */
export function Table<Row>({ caption, columns, rows, to, look, more, empty }: Props<Row>) {
  if (rows.length === 0) return <Empty>{empty}</Empty>;
  return (
    <table>
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <Head key={column.title} {...column} />
          ))}
        </tr>
      </thead>
      {rows.map((row) => {
        const below = more?.(row);
        const where = to?.(row);
        return (
          <tbody key={row.key} class={look?.(row)}>
            <tr {...(where !== undefined && leading(where))}>
              {columns.map(({ title, cell, isNumber, isMinor }) => (
                <td key={title} data-title={title} class={`${isNumber ? 'number' : ''} ${isMinor ? 'minor' : ''}`}>
                  {cell(row)}
                </td>
              ))}
            </tr>
            {below !== undefined && below !== null && (
              <tr class="more">
                <td colSpan={columns.length}>{below}</td>
              </tr>
            )}
          </tbody>
        );
      })}
    </table>
  );
}

function Head<Row>({ title, sort, isNumber, isMinor }: Column<Row>) {
  const name = `${isNumber ? 'number' : ''} ${isMinor ? 'minor' : ''}`;
  if (sort === undefined) {
    return (
      <th scope="col" class={name}>
        {title}
      </th>
    );
  }
  const by = param('sort');
  const isUp = by === sort;
  const isDown = by === `-${sort}`;
  return (
    <th scope="col" class={name} aria-sort={isUp ? 'ascending' : isDown ? 'descending' : 'none'}>
      <button type="button" onClick={() => setParam('sort', isUp ? `-${sort}` : isDown ? '' : sort, 'push')}>
        {title} <span aria-hidden="true">{isUp ? '↑' : isDown ? '↓' : '↕'}</span>
      </button>
    </th>
  );
}

function leading(where: string) {
  return {
    class: 'leads',
    tabIndex: 0,
    onClick: (event: MouseEvent) => {
      const isElsewhere = event.target instanceof Element && event.target.closest('a, button, input, select, dialog') !== null;
      // Who selects some text in a row does not want to leave.
      if (!isElsewhere && String(getSelection()) === '') go(where);
    },
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === 'Enter' && event.target === event.currentTarget) go(where);
    },
  };
}
