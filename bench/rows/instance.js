/** What an instance takes in the registry by itself, when a million are registered as requests bring them. */
import { join } from 'node:path';
import { ServerProcess } from '../server-process.js';

const PROGRAM = join(import.meta.dirname, '../registry-memory.js');
const MEASURED_WITHIN_MS = 600_000;

const registryOf = (services) => async () => ({
  process: await ServerProcess.start([process.execPath, '--expose-gc', PROGRAM, String(services)], {
    withinMs: MEASURED_WITHIN_MS,
  }),
});

const OWN = 'a service each';

export const instance = {
  name: 'instance',
  apart: true,
  subjects: { beatbridge: registryOf(10_000), [OWN]: registryOf(1_000_000) },
  works: [
    {
      name: 'memory',
      title: 'an instance of 1,000,000 in the registry',
      fresh: true,
      take: async (peer) => peer.process.said,
      lines: [{ figure: 'heldBytes' }, { figure: 'scanMs' }, { figure: 'heldBytes', ours: OWN }, { figure: 'scanMs', ours: OWN }],
    },
  ],
};
