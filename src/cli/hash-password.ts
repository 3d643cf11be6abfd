import { randomBytes } from 'node:crypto';
import { deriveByScrypt, hashed, passwordFault } from '../access/passwords.ts';
import { isUserName } from '../access/users.ts';
import { OptionsError } from '../options.ts';
import { type PasswordSource, readPassword } from './read-password.ts';

/** A password as the user file keeps it, in a line. Rejects with `OptionsError` for one that no user may have. */
export async function hashPassword(source: PasswordSource, user: string | undefined): Promise<string> {
  if (user !== undefined && !isUserName(user))
    throw new OptionsError([`--user must have 1..64 letters, digits, and _ . @ -, got ${JSON.stringify(user.slice(0, 200))}`]);
  const password = await readPassword(source);
  const fault = passwordFault(user ?? '', password);
  if (fault !== undefined) throw new OptionsError([fault]);
  return `${await hashed(password, deriveByScrypt, randomBytes)}\n`;
}
