import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, type Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { withActingCommands } from '../../src/cli/client/acting-commands.ts';
import { adviceFor } from '../../src/cli/client/advice.ts';
import { withReadingCommands } from '../../src/cli/client/commands.ts';
import { withDrainCommands } from '../../src/cli/client/drain-commands.ts';
import { EXIT } from '../../src/cli/client/failures.ts';
import { withCompletion } from '../../src/cli/completion/commands.ts';
import { withDoctor } from '../../src/cli/doctor/command.ts';

const ROOT = join(import.meta.dirname, '../..');
const TEXT = readFileSync(join(ROOT, 'docs/cli.md'), 'utf8');
const program = new Command('beatbridge');
for (const commands of [withReadingCommands, withActingCommands, withDrainCommands]) commands(program, '0');

const sections = new Map(
  TEXT.split(/^## /m).map((section): [string, string] => {
    const end = section.indexOf('\n');
    return [section.slice(0, end), section.slice(end)];
  }),
);
const rowsOf = (section = '') =>
  [...section.matchAll(/^\| (`[^`]+`|\d+) \| (.*) \|$/gm)].map(([, what = '', text = '']) => [what.replaceAll('`', ''), text]);

const isShared = ({ helpGroupHeading, long }: Option) => helpGroupHeading === 'Connection:' || long === '--output';

/** As the docs tell of it. */
function rowOf({ flags, description, argChoices, defaultValue }: Option): string[] {
  const choices = argChoices === undefined ? '' : `: ${argChoices.join(', ')}`;
  const byDefault = typeof defaultValue === 'string' ? ` (default ${defaultValue})` : '';
  return [flags, `${description}${choices}${byDefault}`];
}

describe.each(program.commands.map((command) => [command.name(), command] as const))('docs/cli.md on %s', (name, command) => {
  it('has its arguments, what it does, and each of its flags, and no other', () => {
    const section = sections.get(`beatbridge ${name}${command.usage().replace('[options]', '')}`);
    expect(section?.toLowerCase()).toContain(`${command.description().toLowerCase()}.`);
    expect(rowsOf(section)).toEqual(command.options.filter((option) => !isShared(option)).map(rowOf));
  });

  it('has the flags that all of them take', () => {
    const shared = command.options.filter(isShared).map(rowOf);
    const rows = rowsOf(sections.get('Which server, and as whom'));
    // How long each waits may differ.
    expect(shared.map(([flags]) => flags)).toEqual(rows.map(([flags]) => flags));
  });

  it('is loaded without what a server needs', () => {
    const main = readFileSync(join(ROOT, 'src/cli/main.ts'), 'utf8');
    expect(/'([a-z ]+)'\.split\(' '\)/.exec(main)?.[1]?.split(' ')).toContain(name);
  });
});

it.each(['doctor', 'completion'])('docs/cli.md tells what %s does', (name) => {
  const others = new Command('beatbridge');
  withDoctor(others, '0');
  withCompletion(others, '0', () => {});
  const command = others.commands.find((one) => one.name() === name);
  const section = sections.get(`beatbridge ${name}${command?.usage().replace('[options]', '')}`);
  expect(section?.toLowerCase()).toContain(`${command?.description().toLowerCase()}.`);
});

it('docs/cli.md has every exit code', () => {
  expect(rowsOf(sections.get('Exit codes')).map(([code]) => Number(code))).toEqual(Object.values(EXIT));
});

it('there is advice for every cause by which an instance fails', () => {
  const causes = [
    'silent',
    'probe',
    'disabled',
    'weight-0',
    'drained',
    'registered-unhealthy',
    'restored',
    'removed',
    'connection-ended',
    'deregistered',
  ];
  for (const cause of causes) expect(adviceFor(cause)).toEqual(expect.any(String));
});
