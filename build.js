/**
 * Builds dist/ from src/ and console/ while it may be in use: compiles beside it, then puts each file in the place of the one before, in one step of
 * the file system, and last takes away what no longer belongs there. There is no moment without a program.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'vite';

const ROOT = import.meta.dirname;
/** @type {{ bin: Record<string, string> }} */
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const DIST = join(ROOT, 'dist');
// At the depth of dist: source maps name their sources from there.
const BESIDE = join(ROOT, `.dist-${process.pid}`);
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

/** All of the page, as it goes over the wire: whoever opens it waits for that. */
const PAGE_MAX_BYTES = 60 * 1024;

/** @param {string} folder */
function filesIn(folder) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile());
}

/**
 * The page, and beside each of its files the same made small, so that nobody does that while it is served.
 *
 * @param {string} folder
 */
async function buildPage(folder) {
  // The same page whatever is said of the shell that builds it.
  process.env.NODE_ENV = 'production';
  await build({ configFile: join(ROOT, 'console/vite.config.ts'), build: { outDir: folder } });
  let bytes = 0;
  for (const name of filesIn(folder)) {
    const file = readFileSync(join(folder, name));
    const gzipped = gzipSync(file, { level: 9 });
    writeFileSync(join(folder, `${name}.gz`), gzipped);
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(file));
    if (/\.(css|html|js)$/.test(name)) bytes += gzipped.length;
  }
  if (bytes > PAGE_MAX_BYTES) throw new Error(`the page may have ${PAGE_MAX_BYTES} bytes in gzip, has ${bytes}`);
}

try {
  const args = [compiler, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', BESIDE];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  process.exitCode = status ?? 1;
  if (status === 0) {
    await buildPage(join(BESIDE, 'console/page'));
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
