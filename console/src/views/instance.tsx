import { Plain } from '../parts/plain.tsx';
import type { ViewProps } from '../views.ts';

export function Instance({ facts, rows }: ViewProps<'instance'>) {
  return <Plain view="instance" facts={facts} rows={rows} />;
}
