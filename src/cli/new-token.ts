import { randomBytes } from 'node:crypto';
import { lastingToken, tokenDigest } from '../access/tokens.ts';

/** A token that never ends, and below it what the user file has of it: two lines. Nothing of it is kept. */
export function newToken(): string {
  const token = lastingToken(randomBytes);
  return `${token}\n${tokenDigest(token)}\n`;
}
