import { OptionsError } from '../../src/options.ts';

/** All that is wrong with what is read, line by line. */
export function faultsIn(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof OptionsError) return error.faults;
    throw error;
  }
  return [];
}
