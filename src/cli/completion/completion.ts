import type { Command } from 'commander';
import { bashScript } from './bash.ts';
import { commandTree } from './command-tree.ts';
import { fishScript } from './fish.ts';
import type { Shell } from './shells.ts';
import { zshScript } from './zsh.ts';

/** The script that makes the shell complete what the program takes, as it stands; names of services are asked for when they are wanted. */
export function completionScript(program: Command, shell: Shell): string {
  const tree = commandTree(program);
  switch (shell) {
    case 'bash':
      return bashScript(tree);
    case 'zsh':
      return zshScript(tree);
    case 'fish':
      return fishScript(tree);
  }
}
