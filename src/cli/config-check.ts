import { readIdentity } from './identity.ts';
import type { Origin, Settings } from './settings.ts';

const BY: readonly (readonly [Origin['kind'], string])[] = [
  ['flag', 'by flag'],
  ['env', 'by the environment'],
  ['file', 'by file'],
  ['default', 'by default'],
];

/** One line on options that `serve` would take. Rejects with `OptionsError` for files of TLS that it would refuse. */
export async function configCheck(settings: Settings): Promise<string> {
  await readIdentity(settings);
  const origins = Object.values(settings.origins);
  const counts = BY.map(([kind, by]) => `${origins.filter((origin) => origin.kind === kind).length} ${by}`);
  return `the options are valid: ${counts.join(', ')}\n`;
}
