import { type CaseRow, operandRows, valueRows } from './case-rows.ts';
import { type CommandNode, everyNode, nameOf } from './command-tree.ts';

/**
 * Completion for bash 3.2 and later, without the package bash-completion. Words are cut by what has been typed and not by `COMP_WORDS`:
 * bash cuts these at every `:`, `=` and `@`, of which names of services are full. What the server says is never expanded: a service
 * may be called `$(reboot)`.
 */
export function bashScript(tree: CommandNode): string {
  const nodes = everyNode(tree);
  const fn = `_${tree.path.replaceAll('-', '_')}`;
  const table = (name: string, of: (node: CommandNode) => string) => tableOf(`${fn}_${name}`, nodes, of);
  return `# Completion of ${tree.path} for bash: source <(${tree.path} completion bash)

${table('commands', ({ commands }) => commands.map(nameOf).join(' '))}
${table('flags', ({ flags }) => flags.flatMap(({ names }) => names).join(' '))}
# What a flag of a command takes: nothing at all, or a kind and words.
${caseOf(`${fn}_value`, valueRows(nodes))}
# What stands in the place of the number, from 0.
${caseOf(`${fn}_operand`, operandRows(nodes))}
${body(fn, tree.path)}`;
}

/** A function that says something for each path. */
function tableOf(name: string, nodes: readonly CommandNode[], of: (node: CommandNode) => string): string {
  const rows = nodes.map((node) => [node.path, of(node)] as const).filter(([, said]) => said !== '');
  return `${name}() {
  case $1 in
${rows.map(([path, said]) => `    '${path}') printf '%s' '${said}' ;;`).join('\n')}
  esac
}
`;
}

function caseOf(name: string, rows: readonly CaseRow[]): string {
  const cases = rows.map(({ patterns, said }) => `    ${patterns.join(' | ')}) printf '%s' '${said}' ;;`);
  return `${name}() {\n  case "$1 $2" in\n${cases.join('\n')}\n  esac\n}\n`;
}

/** `compgen -W` is used nowhere: it expands the words that it is given. */
function body(fn: string, program: string): string {
  return `${fn}() {
  local line=\${COMP_LINE:0:COMP_POINT} path='${program}' cur word said='' offered='' kind='' quote='' breaks='' before='' i operands=0 bare=''
  local -a words
  COMPREPLY=()
  read -r -a words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  cur=\${words[\${#words[@]}-1]}
  for (( i = 1; i < \${#words[@]} - 1; i++ )); do
    word=\${words[i]}
    said=''
    if [[ -n $bare || $word != -* ]]; then
      if [[ -z $bare && $operands == 0 && " $(${fn}_commands "$path") " == *" $word "* ]]; then path="$path $word"
      else operands=$(( operands + 1 )); fi
    elif [[ $word == -- ]]; then bare=yes
    elif [[ $word != *=* ]]; then
      said=$(${fn}_value "$path" "$word")
      # What it needs is no operand, and what it may have is none where it is one of its words.
      case $said in
        needed*) (( i < \${#words[@]} - 2 )) && { i=$(( i + 1 )); said=''; } ;;
        optional*) (( i < \${#words[@]} - 2 )) && [[ " \${said#* words} " == *" \${words[i+1]} "* ]] && { i=$(( i + 1 )); said=''; } ;;
      esac
    fi
  done
  case $cur in [\\"\\']*) quote=\${cur:0:1}; cur=\${cur:1} ;; esac
  for word in = : @; do [[ $COMP_WORDBREAKS == *"$word"* ]] && breaks+=$word; done
  if [[ -z $bare && $cur == -*=* ]]; then
    said=$(${fn}_value "$path" "\${cur%%=*}")
    [[ $breaks == *=* ]] || before="\${cur%%=*}="
    cur=\${cur#*=}
  elif [[ $said == optional* ]]; then
    # Or whatever else may stand here.
    [[ $cur == -* ]] && said='' || offered=$(${fn}_commands "$path")
  fi
  if [[ -n $said ]]; then kind=\${said#* }
  elif [[ -z $bare && $cur == -* ]]; then offered=$(${fn}_flags "$path")
  else
    kind=$(${fn}_operand "$path" "$operands")
    if [[ -z $bare && $operands == 0 ]]; then offered=$(${fn}_commands "$path"); fi
  fi
  case $kind in
    words*) offered="$offered \${kind#words}" ;;
    file) type compopt > /dev/null 2>&1 && compopt -o filenames 2> /dev/null; while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$cur") ;;
    directory) type compopt > /dev/null 2>&1 && compopt -o filenames 2> /dev/null; while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -d -- "$cur") ;;
    service)
      while IFS= read -r word; do
        [[ $word == "$cur"* ]] || continue
        [[ -z $quote ]] && printf -v word '%q' "$word"
        COMPREPLY+=("$word")
      done < <("\${words[0]}" complete-names services -- "\${words[@]}" 2> /dev/null)
      ;;
  esac
  for word in $offered; do [[ $word == "$cur"* ]] && COMPREPLY+=("$word"); done
  # Of a word that bash cuts, only what comes after the last cut is completed.
  local cut=''
  [[ -z $quote && -n $breaks && $cur == *["$breaks"]* ]] && cut=\${cur%"\${cur##*["$breaks"]}"}
  # It takes an @ for the beginning of what it cuts off.
  cut=\${cut%@}
  for i in "\${!COMPREPLY[@]}"; do COMPREPLY[i]=$before\${COMPREPLY[i]#"$cut"}; done
}
complete -F ${fn} ${program}
`;
}
