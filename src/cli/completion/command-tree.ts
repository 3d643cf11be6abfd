import type { Argument, Command, Option } from 'commander';
import { CAUSES } from '../../events/causes.ts';
import { OPTIONS } from '../../options.ts';

/**
 * The program as a shell needs to know it: its commands, their flags, and what may stand where. All of it is read off the program itself,
 * so that nothing is offered that is not taken, and a new command is offered without a word more.
 */
export interface CommandNode {
  /** From the program on: `beatbridge config check`. */
  readonly path: string;
  readonly help: string;
  readonly flags: readonly Flag[];
  readonly operands: readonly Operand[];
  readonly commands: readonly CommandNode[];
}

export interface Flag {
  /** Each with its dashes. */
  readonly names: readonly string[];
  readonly help: string;
  /** Undefined: it takes none. */
  readonly value: Value | undefined;
  /** Whether it may stand without its value. */
  readonly isOptional: boolean;
}

export interface Operand {
  readonly value: Value;
  /** It may stand again and again. */
  readonly isRepeated: boolean;
}

/** What is offered for a value: these words, what is on the disk, what the server has, or nothing. */
export type Value = { readonly kind: 'words'; readonly words: readonly string[] } | { readonly kind: OtherKind };
export type OtherKind = 'file' | 'directory' | 'service' | 'any';

/** Of the program and of all below it. What is hidden from the help is not offered, but for options that have a table of their own. */
export function commandTree(program: Command): CommandNode {
  const root = nodeOf(program, program.name());
  // Without a command the default one is meant, and so its flags are taken at the root.
  const serve = root.commands.find(({ path }) => path === `${root.path} serve`);
  const known = new Set(root.flags.flatMap(({ names }) => names));
  const flags = (serve?.flags ?? []).filter(({ names }) => !names.some((name) => known.has(name)));
  return { ...root, flags: [...root.flags, ...flags] };
}

/** The node and all below it. */
export function everyNode(node: CommandNode): readonly CommandNode[] {
  return [node, ...node.commands.flatMap(everyNode)];
}

/** The last word of its path. */
export function nameOf({ path }: CommandNode): string {
  return path.slice(path.lastIndexOf(' ') + 1);
}

function nodeOf(command: Command, path: string): CommandNode {
  const help = command.createHelp();
  const visible = help.visibleOptions(command);
  const listed = command.options.filter((option) => !visible.includes(option) && rowOf(option) !== undefined);
  return {
    path,
    help: short(command.description()),
    flags: [...visible, ...listed].map(flagOf),
    operands: command.registeredArguments.map(operandOf),
    commands: help
      .visibleCommands(command)
      // Its own help needs no completing: there is the flag.
      .filter((one) => one.name() !== 'help')
      .map((one) => nodeOf(one, `${path} ${one.name()}`)),
  };
}

function flagOf(option: Option): Flag {
  const { short: letter, long, description, required, optional } = option;
  return {
    names: [long, letter].filter((name) => name !== undefined),
    help: short(description),
    value: required || optional ? valueTaken(option) : undefined,
    isOptional: optional,
  };
}

function rowOf({ long }: Option) {
  return Object.values(OPTIONS).find(({ flag }) => flag === long);
}

function valueTaken(option: Option): Value {
  if (option.argChoices !== undefined) return { kind: 'words', words: option.argChoices };
  const row = rowOf(option);
  const words = row?.bounds.words?.map(String) ?? [];
  if (words.length > 0) return { kind: 'words', words };
  const [, placeholder = ''] = /[<[]([^>\]]*?)(?:\.\.\.)?[>\]]/.exec(option.flags) ?? [];
  if (option.long === '--cause') return { kind: 'words', words: Object.keys(CAUSES) };
  if (option.long === '--service') return { kind: 'service' };
  return named(placeholder);
}

function operandOf(argument: Argument): Operand {
  const name = argument.name();
  const isService = /^(name|service)s?$/i.test(name);
  const value: Value =
    argument.argChoices !== undefined
      ? { kind: 'words', words: argument.argChoices }
      : isService
        ? { kind: 'service' }
        : named(name);
  return { value, isRepeated: argument.variadic };
}

/** By what stands for the value in the help. */
function named(placeholder: string): Value {
  if (/^[\w-]+(\|[\w-]+)+$/.test(placeholder)) return { kind: 'words', words: placeholder.split('|') };
  if (/^(file|pem)$/i.test(placeholder)) return { kind: 'file' };
  if (/^(dir|directory|folder)$/i.test(placeholder)) return { kind: 'directory' };
  return { kind: 'any' };
}

/** As much as stands beside a name in a list: what comes first says most. */
function short(help: string): string {
  const [first = ''] = help.replace(/ \[.*$/s, '').split(/[;:] /, 1);
  return first.length <= MOST_SHOWN ? first : `${first.slice(0, MOST_SHOWN - 1).replace(/\s+\S*$/, '')}…`;
}

const MOST_SHOWN = 90;
