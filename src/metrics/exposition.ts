import type { Histogram } from '../wire/histogram.ts';

/**
 * The text in which metrics are told: Prometheus's own (0.0.4), and OpenMetrics, which differs in how a counter is announced and in its
 * last line. Written some lines at a time.
 */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** One line. */
  readonly help: string;
  /** The names of its labels. */
  readonly labels: readonly string[];
}

/** One of its values, with those of its labels in their order. */
export interface Sample {
  readonly labels?: readonly string[];
  readonly value: number | Histogram;
}

export type Format = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** By what the caller takes. OpenMetrics has to be asked for by name, and wins then unless it is worth less. */
export function formatFor(accept: string): Format {
  const worth = (type: string): number => {
    const [, parameters] = new RegExp(`(?:^|,)\\s*${type}\\s*(;[^,]*)?(?:,|$)`, 'i').exec(accept) ?? [undefined, null];
    if (parameters === null) return 0;
    return Number(/;\s*q\s*=\s*([\d.]{1,5})/i.exec(parameters ?? '')?.[1] ?? 1);
  };
  const wanted = worth('application/openmetrics-text');
  return wanted > 0 && wanted >= worth('text/plain') ? 'openmetrics' : 'text';
}

export function headOf({ name, type, help }: Family, format: Format): string {
  const announced = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name;
  return `# HELP ${announced} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${announced} ${type}\n`;
}

/** The lines of one sample: of a histogram there are several. */
export function linesOf({ name, labels: names }: Family, { labels = [], value }: Sample): string {
  const pairs = names.map((label, i) => pairOf(label, labels[i] ?? ''));
  if (typeof value === 'number') return lineOf(name, pairs, value);
  let lines = '';
  let count = 0;
  for (const [i, some] of value.counts.entries()) {
    count += some;
    const bound = value.bounds[i];
    lines += lineOf(`${name}_bucket`, [...pairs, pairOf('le', bound === undefined ? '+Inf' : String(bound))], count);
  }
  return `${lines}${lineOf(`${name}_sum`, pairs, value.sum)}${lineOf(`${name}_count`, pairs, count)}`;
}

export function lineOf(name: string, pairs: readonly string[], value: number): string {
  return pairs.length === 0 ? `${name} ${numberOf(value)}\n` : `${name}{${pairs.join(',')}} ${numberOf(value)}\n`;
}

export function pairOf(label: string, value: string): string {
  return `${label}="${SPECIAL.test(value) ? escaped(value) : value}"`;
}

const SPECIAL = /["\\\n]/;

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function numberOf(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** The last line of OpenMetrics, without which a text is taken for half of one. */
export function endOf(format: Format): string {
  return format === 'openmetrics' ? '# EOF\n' : '';
}

/** A text in pieces of a moderate length. */
export class Pieces {
  readonly pieces: string[] = [];
  /** In UTF-8. */
  bytes = 0;
  #piece = '';

  add(text: string): void {
    this.#piece += text;
    if (this.#piece.length >= PIECE_LENGTH) this.end();
  }

  end(): void {
    if (this.#piece === '') return;
    this.bytes += Buffer.byteLength(this.#piece);
    this.pieces.push(this.#piece);
    this.#piece = '';
  }
}

const PIECE_LENGTH = 32 << 10;
