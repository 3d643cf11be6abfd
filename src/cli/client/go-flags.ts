import type { Command, Option } from 'commander';

/**
 * Flags as programs in Go take them, and as they stand in the probes of deployments: `-addr=HOST:PORT` with one dash, and switches with a
 * value, `-tls=false`.
 */

const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE: ReadonlySet<string> = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** The same as the command's own parser takes them. What is no flag of the command stays as it is. */
export function withTwoDashes(args: readonly string[], command: Command): readonly string[] {
  const named = (name: string | undefined, option: Option) =>
    name === undefined ? [] : [[name.replace(/^-+/, ''), option] as const];
  const flags = new Map(command.options.flatMap((option) => [...named(option.long, option), ...named(option.short, option)]));
  const taken: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (arg === '--') return [...taken, ...args.slice(i)];
    const [, said = '', value] = /^--?([a-z][a-z-]*)(?:=(.*))?$/s.exec(arg) ?? [];
    const option = flags.get(said);
    const name = option?.name();
    if (option === undefined) taken.push(arg);
    else if (option.required) {
      taken.push(value === undefined ? `--${name}` : `--${name}=${value}`);
      // What follows is its value, whatever it looks like.
      const next = args[i + 1];
      if (value === undefined && next !== undefined) {
        taken.push(next);
        i++;
      }
    } else if (value === undefined || TRUE.has(value)) taken.push(`--${name}`);
    else if (!FALSE.has(value)) taken.push(arg);
  }
  return taken;
}
