import { Plain } from '../parts/plain.tsx';
import type { ViewProps } from '../views.ts';

export function Service({ facts, rows }: ViewProps<'service'>) {
  return <Plain view="service" facts={facts} rows={rows} />;
}
