import { type CaseRow, operandRows, valueRows } from './case-rows.ts';
import { type CommandNode, everyNode, nameOf } from './command-tree.ts';

/** Completion for zsh, with a few words beside each command and flag. Zsh itself has cut the words and taken their quotes away. */
export function zshScript(tree: CommandNode): string {
  const nodes = everyNode(tree);
  const fn = `_${tree.path.replaceAll('-', '_')}`;
  return `#compdef ${tree.path}
# Completion of ${tree.path} for zsh: source <(${tree.path} completion zsh), or as a file _${tree.path} in a directory of $fpath

${tableOf(`${fn}_commands`, nodes, ({ commands }) => commands.map((one) => described(nameOf(one), one.help)))}
${tableOf(`${fn}_flags`, nodes, ({ flags }) => flags.flatMap(({ names, help }) => names.map((name) => described(name, help))))}
# What a flag of a command takes: nothing at all, or a kind and words.
${caseOf(`${fn}_value`, valueRows(nodes))}
# What stands in the place of the number, from 0.
${caseOf(`${fn}_operand`, operandRows(nodes))}
${body(fn, tree.path)}`;
}

function described(name: string, help: string): string {
  const text = help === '' ? name : `${name}:${help}`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A function that puts into `reply` what there is for each path. */
function tableOf(name: string, nodes: readonly CommandNode[], of: (node: CommandNode) => readonly string[]): string {
  const rows = nodes.map((node) => [node.path, of(node)] as const).filter(([, said]) => said.length > 0);
  return `${name}() {
  reply=()
  case $1 in
${rows.map(([path, said]) => `    '${path}') reply=(\n${said.map((one) => `      ${one}\n`).join('')}    ) ;;`).join('\n')}
  esac
}
`;
}

function caseOf(name: string, rows: readonly CaseRow[]): string {
  const cases = rows.map(({ patterns, said }) => `    ${patterns.join(' | ')}) reply=(${said}) ;;`);
  return `${name}() {\n  reply=()\n  case "$1 $2" in\n${cases.join('\n')}\n  esac\n}\n`;
}

function body(fn: string, program: string): string {
  return `${fn}() {
  local path_='${program}' word bare=
  local -a reply said names
  integer i operands=0
  for (( i = 2; i < CURRENT; i++ )); do
    word=\${(Q)words[i]}
    said=()
    if [[ -n $bare || $word != -* ]]; then
      ${fn}_commands $path_
      if [[ -z $bare && $operands == 0 && -n \${(M)reply:#\${(b)word}(|:*)} ]]; then path_="$path_ $word"
      else (( operands++ )); fi
    elif [[ $word == -- ]]; then bare=yes
    elif [[ $word != *=* ]]; then
      ${fn}_value $path_ $word
      said=($reply)
      case $said[1] in
        (needed) (( i < CURRENT - 1 )) && { (( i++ )); said=(); } ;;
        (optional) (( i < CURRENT - 1 )) && (( \${said[(Ie)\${(Q)words[i+1]}]} )) && { (( i++ )); said=(); } ;;
      esac
    fi
  done
  word=\${(Q)words[CURRENT]}
  if [[ -z $bare && $PREFIX == -*=* ]]; then
    ${fn}_value $path_ \${PREFIX%%=*}
    said=($reply)
    compset -P '*='
  elif [[ $said[1] == optional && $PREFIX == -* ]]; then said=()
  elif [[ $said[1] == optional ]]; then
    # Or whatever else may stand here.
    ${fn}_commands $path_
    names=($reply)
    (( $#names )) && _describe command names
  fi
  if (( $#said )); then said=($said[2,-1])
  elif [[ -z $bare && $PREFIX == -* ]]; then
    ${fn}_flags $path_
    names=($reply)
    _describe -o flag names
    return
  else
    ${fn}_operand $path_ $operands
    said=($reply)
    if [[ -z $bare && $operands == 0 ]]; then
      ${fn}_commands $path_
      names=($reply)
      (( $#names )) && _describe command names
    fi
  fi
  case $said[1] in
    (words) names=($said[2,-1]); compadd -a names ;;
    (file) _files ;;
    (directory) _files -/ ;;
    (service)
      names=(\${(f)"$(_call_program services \${(q)\${(Q)words[1]}} complete-names services -- \${(@q)\${(@Q)words[1,CURRENT]}} 2> /dev/null)"})
      compadd -a names
      ;;
  esac
}

# As a file of $fpath it is the function itself; where it is sourced it has to be named.
if [[ $funcstack[1] == ${fn} ]]; then ${fn} "$@"; else compdef ${fn} ${program}; fi
`;
}
