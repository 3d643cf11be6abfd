/** What is another before and after somebody's word, part by part. */

/** One part of something that was changed: `weight`, `metadata.version`, `checks.DEFAULT.type`. */
export interface Difference {
  readonly field: string;
  /** Left out where there was none, as `after` is where there is none; both are where it is nobody's business. */
  readonly before?: Plain;
  readonly after?: Plain;
}

export type Plain = string | number | boolean;

/** Between two pieces of plain JSON: of what is an object its parts, each by its path. Null is what is not there. */
export function differencesBetween(before: object, after: object): readonly Difference[] {
  // Some clients say the same again and again.
  if (areSame(before, after)) return NONE;
  const [old, now] = [partsOf(before), partsOf(after)];
  const fields = new Set([...old.keys(), ...now.keys()]);
  return [...fields].flatMap((field): Difference[] => {
    const [was, is] = [old.get(field), now.get(field)];
    if (was === is) return [];
    if (SECRET.test(field)) return [{ field }];
    return [{ field, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) }];
  });
}

const NONE: readonly Difference[] = [];

function areSame(before: object, after: object): boolean {
  const keys = Object.keys(before);
  return keys.length === Object.keys(after).length && keys.every((key) => isSamePart(Reflect.get(before, key), after, key));
}

function isSamePart(was: unknown, after: object, key: string): boolean {
  if (!Object.hasOwn(after, key)) return false;
  const is: unknown = Reflect.get(after, key);
  return was === is || (typeof was === 'object' && typeof is === 'object' && was !== null && is !== null && areSame(was, is));
}

/** What checks say to whom they ask, and what a key calls a secret itself. */
const SECRET = /passw|pwd|secret|token|credential|\.headers$/i;

function partsOf(value: object, prefix = '', parts = new Map<string, Plain>()): Map<string, Plain> {
  for (const [key, part] of Object.entries(value)) {
    const field = prefix + key;
    if (typeof part === 'object' && part !== null) partsOf(part, `${field}.`, parts);
    else if (typeof part === 'string' || typeof part === 'number' || typeof part === 'boolean') parts.set(field, part);
  }
  return parts;
}
