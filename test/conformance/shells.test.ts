import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Completing, OFFERED, TYPED } from '../support/completing.ts';

/** What shells that are not on every machine make of their scripts of completion. */
const { zsh, fish } = inject('tools');
let completing: Completing;
beforeAll(async () => {
  completing = await Completing.start();
});
afterAll(() => completing[Symbol.asyncDispose]());

/** Descriptions stand behind a tab, and directories end in a slash. */
async function offeredByFish(line: string): Promise<readonly string[]> {
  const command = `source script.fish; complete -C ${JSON.stringify(line).replaceAll('$', '\\$')}`;
  const said = await completing.said(fish.path ?? '', ['--no-config', '-c', command]);
  const plain = said
    .split('\n')
    .filter((one) => one !== '')
    .map((one) => one.replace(/\t.*$/, '').replace(/\/$/, ''));
  return plain.map((one) => one.replace(/^--[\w-]+=/, '')).sort();
}

// Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
describe.skipIf(fish.path === undefined)('completion in fish', () => {
  it.each(OFFERED)('%s', async (line, offered) => {
    expect(await offeredByFish(line)).toEqual(offered);
  });

  it('expands nothing of what a server says', async () => {
    expect((await offeredByFish('beatbridge check ')).length).toBeGreaterThan(3);
    expect(completing.hasExpanded).toBe(false);
  });
});

// Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
describe.skipIf(zsh.path === undefined)('completion in zsh', () => {
  it('completes what is typed at a terminal, and expands nothing of what a server says', async () => {
    const show = `show() { print -r -- "<<$BUFFER>>"; zle kill-buffer }; zle -N show; bindkey '^X' show; bindkey '^I' complete-word`;
    const setUp = `PS1=; autoload -Uz compinit; compinit -u -D; source script.zsh; ${show}; print READY`;
    writeFileSync(join(completing.dir, '.zshrc'), setUp);
    const lines = await completing.typed(
      `ZDOTDIR=${completing.dir} ${zsh.path} -i`,
      TYPED.map(([line]) => line),
    );
    expect(lines).toEqual(TYPED.map(([, whole]) => whole));
    expect(completing.hasExpanded).toBe(false);
  });
});
