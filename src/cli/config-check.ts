import { OptionsError } from '../options.ts';
import { doorFaults } from '../server/door.ts';
import { defaultServiceFaults } from '../server/rooms.ts';
import { webhookSecrets } from '../server/webhook-secrets.ts';
import { readIdentity } from './identity.ts';
import type { Origin, Settings } from './settings.ts';

const BY: readonly (readonly [Origin['kind'], string])[] = [
  ['flag', 'by flag'],
  ['env', 'by the environment'],
  ['file', 'by file'],
  ['default', 'by default'],
];

/** One line on options that `serve` would take. Rejects with `OptionsError` for files of TLS, users and secrets that it would refuse. */
export async function configCheck(settings: Settings): Promise<string> {
  await readIdentity(settings);
  await webhookSecrets(settings.options);
  const faults = [...defaultServiceFaults(settings.options), ...(await doorFaults(settings.options))];
  if (faults.length > 0) throw new OptionsError(faults);
  const origins = Object.values(settings.origins);
  const counts = BY.map(([kind, by]) => `${origins.filter((origin) => origin.kind === kind).length} ${by}`);
  return `the options are valid: ${counts.join(', ')}\n`;
}
