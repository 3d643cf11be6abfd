import { readPrivate } from '../access/secrets.ts';
import { OPTIONS, type Options, OptionsError } from '../options.ts';

/** Robots of Feishu have one of 22 letters. */
const LEAST_BYTES = 16;
const NONE = '-';

/** What webhooks are signed with, in their order: one for all, or one each. Rejects with `OptionsError`. */
export async function webhookSecrets({ webhookSecretFile }: Options): Promise<readonly (string | undefined)[]> {
  const files = webhookSecretFile
    .split(',')
    .map((file) => file.trim())
    .filter((file) => file !== '');
  const faults: string[] = [];
  const secrets: (string | undefined)[] = [];
  for (const file of files) {
    const read = file === NONE ? undefined : await readPrivate(file, LEAST_BYTES);
    if (read !== undefined && 'fault' in read)
      faults.push(`${OPTIONS.webhookSecretFile.flag}: ${file.slice(0, 200)}: ${read.fault}`);
    secrets.push(read !== undefined && 'secret' in read ? Buffer.from(read.secret).toString() : undefined);
  }
  if (faults.length > 0) throw new OptionsError(faults);
  return secrets;
}
