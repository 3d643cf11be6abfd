import { HIDDEN, isText, NAMES, OPTIONS, type OptionName, type Options } from '../options.ts';

/** An option as it is shown to whoever may operate the bridge. */
export interface OptionRow {
  readonly flag: string;
  /** As one would write it; secrets are hidden. */
  readonly value: string;
  readonly source: OptionSource;
  readonly help: string;
}

/** Where its value comes from; `program`: whoever embeds the server has given it. */
export type OptionSource = 'flag' | 'env' | 'file' | 'default' | 'program';

/** Every option there is, in the order of the table. */
export function optionRows(options: Options, sourceOf: (name: OptionName) => OptionSource): readonly OptionRow[] {
  return NAMES.map((name) => {
    const { flag, help, secret, default: usual, bounds } = OPTIONS[name];
    const value = options[name];
    const source = sourceOf(name);
    // That there is none is no secret.
    const isHidden = secret && source !== 'default' && value !== usual;
    const said = isHidden ? HIDDEN : String(value).slice(0, MOST_SHOWN);
    return { flag, value: said === '' && isText(bounds) ? '""' : said, source, help };
  });
}

/** Of those that an embedder gives. */
export function programRows(options: Options, given: object): readonly OptionRow[] {
  const names = new Set(Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name])));
  return optionRows(options, (name) => (names.has(name) ? 'program' : 'default'));
}

const MOST_SHOWN = 1_000;
