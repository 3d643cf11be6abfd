import { Plain } from '../parts/plain.tsx';
import type { ViewProps } from '../views.ts';

export function Server({ facts, rows }: ViewProps<'server'>) {
  return <Plain view="server" facts={facts} rows={rows} />;
}
