import type { ClassicLevel } from 'classic-level';
import { StoreError } from './directory.ts';

/** Which keys and values there are in a database: a change of either is a new schema, with a way from the one before. */
const SCHEMA = 1;
const KEY = 'schema';

/** Writes down the schema of a new database. Rejects with `StoreError` for one of something else, or of a newer version. */
export async function checkSchema(db: ClassicLevel<string, string>, dir: string): Promise<void> {
  const found = await db.get(KEY);
  if (found === undefined) {
    for await (const key of db.keys({ limit: 1 }))
      throw new StoreError(`${dir} holds a database of something else (its first key is ${JSON.stringify(key.slice(0, 40))})`);
    await db.put(KEY, String(SCHEMA), { sync: true });
  } else if (Number(found) > SCHEMA) {
    throw new StoreError(
      `${dir} was written by a newer version (its schema is ${found.slice(0, 10)}, this one reads up to ${SCHEMA})`,
    );
  } else if (Number(found) !== SCHEMA) {
    throw new StoreError(`${dir} holds a database of something else`);
  }
}
