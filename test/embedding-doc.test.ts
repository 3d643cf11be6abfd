import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

it('the table of what the package has is what it exports', () => {
  const exported = [...read('src/index.ts').matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, names = '']) =>
    names.split(',').flatMap((name) => name.replace(/\btype\b/, '').trim() || []),
  );
  const [, table = ''] = read('docs/embedding.md').split('\n## What there is\n', 2);
  const told = [...table.matchAll(/^\| `(\w+)/gm)].map(([, name]) => name);
  expect(exported.length).toBeGreaterThan(15);
  expect(told.toSorted()).toEqual(exported.toSorted());
});

it('what it exports is in the types of the package as built', () => {
  const types = read('dist/index.d.ts');
  for (const name of ['createTestClock', 'RefusedError', 'EventView', 'EmbeddedRegistry', 'EmbeddedHealth'])
    expect(types).toContain(name);
});

/** As somebody has it who has installed both: the package by its manifest, as built. */
it('the example of a test is one that passes, against the package as built, and its types are right', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'beatbridge-example-'));
  try {
    const modules = join(folder, 'node_modules');
    mkdirSync(join(modules, '@types'), { recursive: true });
    cpSync(join(ROOT, 'examples/vitest'), folder, { recursive: true });
    symlinkSync(ROOT, join(modules, 'beatbridge'));
    for (const name of ['vitest', '@types/node']) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
    const run = async (file: string, ...args: string[]) => {
      const child = spawn(process.execPath, [join(ROOT, 'node_modules', file), ...args], { cwd: folder });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
      const [code] = await once(child, 'close');
      return { code, said };
    };
    const strict = ['--strict', '--noEmit', '--target', 'es2023', '--lib', 'es2023,esnext.disposable', '--types', 'node'];
    const [ran, compiled] = await Promise.all([
      run('vitest/vitest.mjs', 'run', '--root', folder),
      run('typescript/bin/tsc', ...strict, '--module', 'nodenext', '--skipLibCheck', 'orders.test.ts'),
    ]);
    expect(ran.said).toMatch(/1 passed/);
    expect([ran.code, compiled]).toEqual([0, { code: 0, said: '' }]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
