import type { Cell } from './table.ts';
import type { Colour } from './terminal.ts';

/** In which colour a status is told. */
const COLOURS: Readonly<Record<string, Colour>> = { SERVING: 'green', NOT_SERVING: 'red', SERVICE_UNKNOWN: 'yellow' };

export function colourOf(status: string): Colour | undefined {
  return COLOURS[status];
}

export function statusCell(status: string): Cell {
  const colour = colourOf(status);
  return colour === undefined ? status : { text: status, colour };
}
