import { HIDDEN, NAMES, OPTIONS } from '../options.ts';
import type { Settings } from './settings.ts';

/** One option as it is printed. */
export interface Printed {
  readonly name: string;
  readonly value: string | number | boolean;
  readonly source: string;
  readonly secret: boolean;
}

/** Where the comments begin, so that they stand below one another. */
const COMMENT_COLUMN = 42;

/** Every option with its value and where that comes from, in the order of the table. */
export function configPrint({ options, origins }: Settings, asJson: boolean): string {
  const all = NAMES.map((name) => {
    const { source, kind } = origins[name];
    const { secret, default: usual } = OPTIONS[name];
    // That there is none is no secret.
    return { name, value: options[name], source, secret: secret && kind !== 'default' && options[name] !== usual };
  });
  return asJson ? json(all) : yaml(all);
}

/** A file of options that says the same; of a secret it says nothing but that there is one. */
export function yaml(all: readonly Printed[]): string {
  const lines = all.map(({ name, value, source, secret }) => {
    // What JSON is, YAML is too, and no text is taken for anything else.
    const said = secret ? `# ${name}: ${HIDDEN}` : `${name}: ${JSON.stringify(value)}`;
    return `${said.padEnd(COMMENT_COLUMN)} # ${source}\n`;
  });
  return lines.join('');
}

export function json(all: readonly Printed[]): string {
  const entries = all.map(({ name, value, source, secret }) => [name, { value: secret ? HIDDEN : value, source }]);
  return `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`;
}
