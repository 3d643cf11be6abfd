/**
 * Builds dist/ from src/ while it may be in use: compiles beside it, then puts each file in the place of the one before, in one step of
 * the file system, and last takes away what no longer belongs there. There is no moment without a program.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

const ROOT = import.meta.dirname;
/** @type {{ bin: Record<string, string> }} */
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const DIST = join(ROOT, 'dist');
// At the depth of dist: source maps name their sources from there.
const BESIDE = join(ROOT, `.dist-${process.pid}`);
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

/** @param {string} folder */
function filesIn(folder) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile());
}

try {
  const args = [compiler, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', BESIDE];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  process.exitCode = status ?? 1;
  if (status === 0) {
    const built = filesIn(BESIDE);
    // npx runs what is here as it is; what is installed, npm makes executable itself.
    for (const bin of Object.values(manifest.bin)) chmodSync(join(BESIDE, relative('dist', bin)), 0o755);
    for (const name of built) {
      mkdirSync(dirname(join(DIST, name)), { recursive: true });
      renameSync(join(BESIDE, name), join(DIST, name));
    }
    for (const name of filesIn(DIST)) if (!built.includes(name)) rmSync(join(DIST, name), { force: true });
  }
} finally {
  rmSync(BESIDE, { recursive: true, force: true });
}
