import { type CommandNode, everyNode, type Flag, nameOf, type Value } from './command-tree.ts';

/** Completion for fish, which wants a line for each thing that it can offer, and when. */
export function fishScript(tree: CommandNode): string {
  const nodes = everyNode(tree);
  const fn = `__${tree.path.replaceAll('-', '_')}`;
  const lines = nodes.flatMap((node) => linesOf(node, tree.path, fn));
  return `# Completion of ${tree.path} for fish: ${tree.path} completion fish | source

${placeFunction(fn, nodes)}
# Whether the words so far are of this command; and of its operands, whether so many have been said.
function ${fn}_at
    set -l place (${fn}_place)
    test "$place[1]" = "$argv[1]"
    and begin
        test (count $argv) -lt 2
        or contains -- $place[2] $argv[2..]
    end
end

function ${fn}_services
    set -l words (commandline -opc) (commandline -ct)
    $words[1] complete-names services -- $words 2>/dev/null
end

complete -c ${tree.path} -f
${lines.join('\n')}
`;
}

/** On its first line the path of the command that the words so far name, on its second how many operands they have. */
function placeFunction(fn: string, nodes: readonly CommandNode[]): string {
  const taking = nodes.flatMap(({ path, flags }) => {
    const names = flags.filter(({ value, isOptional }) => value !== undefined && !isOptional).flatMap((flag) => flag.names);
    return names.length === 0 ? [] : [`            case ${quoted(path)}\n                set taking ${names.join(' ')}`];
  });
  const paths = nodes.slice(1).map(({ path }) => quoted(path));
  return `function ${fn}_place
    set -l words (commandline -opc)
    set -l path ${nodes[0]?.path ?? ''}
    set -l operands 0
    set -l bare 0
    set -l skip 0
    for word in $words[2..]
        set -l taking
        switch "$path"
${taking.join('\n')}
        end
        if test $skip = 1
            set skip 0
        else if test $bare = 1
            set operands (math $operands + 1)
        else if test "$word" = --
            set bare 1
        else if string match -q -- '-*' $word
            contains -- $word $taking
            and set skip 1
        else if test $operands = 0
            and contains -- "$path $word" ${paths.join(' ')}
            set path "$path $word"
        else
            set operands (math $operands + 1)
        end
    end
    echo $path
    echo $operands
end
`;
}

function linesOf(node: CommandNode, program: string, fn: string): readonly string[] {
  const at = (...counts: readonly (number | string)[]) =>
    `complete -c ${program} -n ${quoted([`${fn}_at`, quoted(node.path), ...counts].join(' '))}`;
  const commands = node.commands.map((one) => `${at(0)} -a ${nameOf(one)} -d ${quoted(one.help)}`);
  const flags = node.flags.map((flag) => `${at()} ${flagWords(flag, fn)} -d ${quoted(flag.help)}`);
  const operands = node.operands.flatMap(({ value, isRepeated }, i) => {
    const offered = offeredFor(value, fn);
    return offered === undefined ? [] : [`${at(...(isRepeated ? [`(seq ${i} 99)`] : [i]))} ${offered}`];
  });
  return [...commands, ...flags, ...operands];
}

function flagWords({ names, value, isOptional }: Flag, fn: string): string {
  const said = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  if (value === undefined) return said.join(' ');
  const offered = offeredFor(value, fn) ?? '';
  return [...said, ...(isOptional ? [] : ['-r']), offered].filter((word) => word !== '').join(' ');
}

/** Undefined: nothing. */
function offeredFor(value: Value, fn: string): string | undefined {
  switch (value.kind) {
    case 'words':
      return `-f -a ${quoted(value.words.join(' '))}`;
    case 'file':
      return '-F';
    case 'directory':
      return "-f -a '(__fish_complete_directories (commandline -ct))'";
    case 'service':
      return `-f -a '(${fn}_services)'`;
    case 'any':
      return undefined;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
