import { type Command, Option } from 'commander';
import { OPTIONS, OptionsError } from '../options.ts';
import { CONFIG, readSettings, type Settings } from './settings.ts';

/** The flags of a command that has options: one for each row of the table, and one for the file. */

/** What commander has read, by what it calls a flag. */
export type Given = Readonly<Record<string, string | boolean>>;

/** What commander calls a flag, and the flag. */
const FLAGS = new Map([CONFIG, ...Object.values(OPTIONS)].map(({ flag }) => [new Option(`${flag} <>`).attributeName(), flag]));

/** Lets the command take all of them; its help lists the options of the table only if `listed`. */
export function withFlags(command: Command, { listed }: { readonly listed: boolean }): Command {
  // Commander stops at the first flag that it does not know; the table of options knows them all, and says all that is wrong at once.
  command.allowUnknownOption().allowExcessArguments();
  command.addOption(new Option(`${CONFIG.flag} <${CONFIG.unit}>`, `${CONFIG.help} (env ${CONFIG.env})`));
  for (const { flag, env, default: value, unit, expected, help, limit, list } of Object.values(OPTIONS)) {
    const isSwitch = unit === 'true|false';
    const option = new Option(
      `${flag} ${isSwitch ? `[${unit}]` : `<${unit}>`}`,
      `${help} [${expected}] (env ${env}, default ${value})`,
    );
    if (isSwitch) option.preset('true');
    if (list) option.argParser((text, before?: string) => (before === undefined ? text : `${before},${text}`));
    if (limit) option.helpGroup('Limits:');
    command.addOption(listed ? option : option.hideHelp());
  }
  if (!listed) command.addHelpText('after', '\nAll flags of serve are taken as well: they win over the file here too.');
  return command;
}

/** What the process was told when this command was given. Throws `OptionsError`, for what is no flag too. */
export function settingsOf(given: Given, { args: rest }: Command): Settings {
  const known = Object.entries(given).flatMap(([attribute, text]) => {
    const flag = FLAGS.get(attribute);
    return flag === undefined || typeof text !== 'string' ? [] : [[flag, text] as const];
  });
  const firstFlag = rest.findIndex((argument) => argument.startsWith('-'));
  const [stray] = firstFlag < 0 ? rest : rest.slice(0, firstFlag);
  if (stray !== undefined) throw new OptionsError([`unexpected argument ${JSON.stringify(stray.slice(0, 200))}`]);
  // After an unknown flag may come its value.
  const unknown = rest
    .filter((argument) => argument.startsWith('-'))
    .map((argument) => [argument.replace(/=.*$/s, ''), ''] as const);
  return readSettings(Object.fromEntries([...unknown, ...known]), process.env);
}
