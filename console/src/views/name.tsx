import { Plain } from '../parts/plain.tsx';
import type { ViewProps } from '../views.ts';

export function NameView({ facts, rows }: ViewProps<'name'>) {
  return <Plain view="name" facts={facts} rows={rows} />;
}
