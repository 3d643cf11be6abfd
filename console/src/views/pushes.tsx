import { Plain } from '../parts/plain.tsx';
import type { ViewProps } from '../views.ts';

export function Pushes({ facts, rows }: ViewProps<'pushes'>) {
  return <Plain view="pushes" facts={facts} rows={rows} />;
}
