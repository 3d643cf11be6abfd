import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** All that a real client sent over one connection, recorded against the engine with the paths of `http2-room.ts`. */
export interface Exchange {
  readonly client: string;
  readonly what: string;
  readonly bytes: Buffer;
}

const FILE = join(import.meta.dirname, '../fixtures/http2/exchanges.json');

/** The file is ours. */
const RECORDED = JSON.parse(readFileSync(FILE, 'utf8')) as readonly { client: string; what: string; hex: string }[];

export const exchanges: readonly Exchange[] = RECORDED.map(({ client, what, hex }) => ({
  client,
  what,
  bytes: Buffer.from(hex, 'hex'),
}));
