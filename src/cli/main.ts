#!/usr/bin/env node
import { descriptorLimit } from '../wire/descriptors.ts';
import { guardStreams } from './streams.ts';

/**
 * Whether the program can be loaded at all: Node opens its files many at a time (136 are enough as of now), and says what it lacks in a
 * stack trace.
 */

const LEAST_DESCRIPTORS = 256;
/** As for a port that cannot be had: nothing is wrong with what was asked. */
const EXIT_CANNOT_RUN = 3;

/** The commands that ask a running server need nothing of what one is made of. */
const ASKING: ReadonlySet<string> = new Set(
  'check watch why list instances events clients enable disable weight register deregister drain resume drains'.split(' '),
);

guardStreams();
const limit = descriptorLimit();
if (limit < LEAST_DESCRIPTORS) {
  const text = `this process may open ${limit} files and sockets, and needs ${LEAST_DESCRIPTORS} at least: raise the limit (ulimit -n)`;
  process.stderr.write(`beatbridge: ${text}\n`);
  process.exitCode = EXIT_CANNOT_RUN;
} else if (ASKING.has(process.argv[2] ?? '')) {
  await (await import('./client/program.ts')).askServer(process.argv.slice(2));
} else {
  await (await import('./program.ts')).runProgram(process.argv.slice(2));
}
