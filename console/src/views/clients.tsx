import { Plain } from '../parts/plain.tsx';
import type { ViewProps } from '../views.ts';

export function Clients({ facts, rows }: ViewProps<'clients'>) {
  return <Plain view="clients" facts={facts} rows={rows} />;
}
