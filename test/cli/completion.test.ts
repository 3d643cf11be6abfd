import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Completing, OFFERED, TYPED } from '../support/completing.ts';
import { run } from '../support/process.ts';

let completing: Completing;
beforeAll(async () => {
  completing = await Completing.start();
});
afterAll(() => completing[Symbol.asyncDispose]());

/** As readline calls it, with its own cuts; and what is offered then, whole. */
async function offered(line: string): Promise<readonly string[]> {
  const script = `
    source script.bash
    [[ $(complete -p beatbridge) == *_beatbridge* ]] || exit 1
    COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:@'
    COMP_LINE=$1 COMP_POINT=\${#1}
    _beatbridge 2>/dev/null
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = await completing.said('bash', ['--norc', '--noprofile', '-c', script, 'bash', line]);
  const word = line.slice(line.lastIndexOf(' ') + 1);
  const cut = word.slice(0, Math.max(word.lastIndexOf('='), word.lastIndexOf(':'), word.lastIndexOf('@')) + 1);
  // What follows an @ is offered with it.
  const whole = said
    .split('\n')
    .filter((one) => one !== '')
    .map((one) => cut.replace(/^--[\w-]+=|@$/, '') + one);
  return whole.sort();
}

it.each(OFFERED)('%s', async (line, all) => {
  expect(await offered(line)).toEqual(all);
});

it('expands nothing of what a server says', async () => {
  expect((await offered('beatbridge check ')).length).toBeGreaterThan(3);
  expect(completing.hasExpanded).toBe(false);
});

it('completes what is typed at a terminal', async () => {
  const file = join(completing.dir, 'bashrc');
  const show = `show() { echo "<<$READLINE_LINE>>"; READLINE_LINE=; READLINE_POINT=0; }; bind -x '"\\C-x": show'`;
  writeFileSync(file, `PS1=; source script.bash; ${show}; bind 'set bell-style none'; echo READY`);
  const lines = await completing.typed(
    `bash --noprofile --rcfile ${file} -i`,
    TYPED.map(([line]) => line),
  );
  expect(lines).toEqual(TYPED.map(([, whole]) => whole));
});

it('is refused for other shells: 2, and what cannot be asked in time offers nothing', async () => {
  expect(await run(['completion', 'csh'])).toMatchObject({ code: 2, stdout: '' });
  const names = (...words: readonly string[]) => run(['complete-names', 'services', '--', 'beatbridge', 'check', ...words, '']);
  expect(await names('--addr', '127.0.0.1:1')).toEqual({ code: 0, stdout: '', stderr: '' });
  const { stdout } = await names(`--addr=${completing.bridge.listeners.main}`);
  expect(
    stdout
      .split('\n')
      .filter((name) => name !== '')
      .sort(),
  ).toEqual(['orders', 'order-items', 'G1@@orders', 'providers:com.shop.Orders:1.0.0:', completing.nasty].sort());
});
