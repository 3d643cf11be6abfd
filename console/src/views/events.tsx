import { Plain } from '../parts/plain.tsx';
import type { ViewProps } from '../views.ts';

export function Events({ facts, rows }: ViewProps<'events'>) {
  return <Plain view="events" facts={facts} rows={rows} />;
}
