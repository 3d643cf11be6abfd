import { Plain } from '../parts/plain.tsx';
import type { ViewProps } from '../views.ts';

export function Client({ facts, rows }: ViewProps<'client'>) {
  return <Plain view="client" facts={facts} rows={rows} />;
}
