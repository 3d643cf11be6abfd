import { EventList } from '../parts/event-list.tsx';
import { Title } from '../parts/section.tsx';
import { viewTitle } from '../titles.ts';
import type { ViewProps } from '../views.ts';

/** What has happened, the last first. */
export function Events({ facts }: ViewProps<'events'>) {
  return (
    <>
      <Title title={viewTitle('events')} />
      <EventList events={facts.events} />
    </>
  );
}
