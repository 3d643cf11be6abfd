import { DEFAULT_GROUP, DEFAULT_NAMESPACE, groupedName, parseServiceName, type ServiceName } from '../registry/service-name.ts';

/** Whom a health name speaks of: the bridge itself, or one service. */
export type HealthName = 'bridge' | ServiceName;

/** In UTF-8. Longer names are refused, so that nothing unbounded is looked up, kept or echoed. */
export const MAX_NAME_BYTES = 1024;

/** Reads `""` (the bridge), `orders` or `G1@@orders`. Undefined for what is too long or not of this form. */
export function parseHealthName(text: string): HealthName | undefined {
  if (text === '') return 'bridge';
  if (Buffer.byteLength(text) > MAX_NAME_BYTES) return undefined;
  return parseServiceName(text, DEFAULT_NAMESPACE);
}

/** The shortest name that `parseHealthName` reads back as the service. */
export function formatHealthName(name: HealthName): string {
  if (name === 'bridge') return '';
  return name.group === DEFAULT_GROUP ? name.name : groupedName(name);
}
