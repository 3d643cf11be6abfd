/** The machine that figures hold for, and its cores: one is the servers', one has whoever loads them, where there are two. Linux only. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

const CORES = allowedCores();
const pins = CORES.length > 1 && spawnSync('taskset', ['--version']).status === 0;

/** What goes before a command, so that it runs where it belongs. */
export const ON_SERVER_CORE = pins ? ['taskset', '-c', String(CORES[0])] : [];
export const ON_LOAD_CORE = pins ? ['taskset', '-c', String(CORES[1])] : [];
export const ON_ANY_CORE = pins ? ['taskset', '-c', CORES.join(',')] : [];

/** Moves this process to those that load: all of its threads. */
export function joinTheLoad() {
  if (pins) execFileSync('taskset', ['-acp', String(CORES[1]), String(process.pid)], { stdio: 'ignore' });
}

export function describeMachine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: CORES.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    pinned: pins ? `servers to core ${CORES[0]}, load to core ${CORES[1]}` : 'nothing is pinned to a core',
    date: new Date().toISOString(),
  };
}

/** The cores that this process may use, which need not be all that there are. */
function allowedCores() {
  const [, list = '0'] = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
