import { join } from 'node:path';
import { checkSoundness } from '../store/soundness.ts';

/** Where in the directory of a beatbridge its records are. */
export const RECORDS = 'records';

/** What is wrong with the records of a beatbridge that does not run, in a line; undefined: nothing. They are only read. */
export async function unsoundness(dir: string): Promise<string | undefined> {
  try {
    await checkSoundness(join(dir, RECORDS));
    return undefined;
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').slice(0, 200);
  }
}
