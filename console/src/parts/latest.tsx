import { useEffect, useState } from 'preact/hooks';
import type { EventLine } from '../../../src/console/api.ts';
import { onHappened } from '../live.ts';
import { EventList } from './event-list.tsx';

interface Props {
  /** What the view began with, the oldest first. */
  readonly before: readonly EventLine[];
  readonly most: number;
}

/** The last events, as they happen. Another bridge numbers them anew: `<Latest key={session.value?.bridge} before={facts.latest} most={10} />`. */
export function Latest({ before, most }: Props) {
  const [heard, hear] = useState<readonly EventLine[]>([]);
  useEffect(() => onHappened((line) => hear((lines) => [...lines, line].slice(-most))), [most]);
  // Who comes back is told once more what he may have heard.
  const all = new Map([...before, ...heard].map((line) => [line.seq, line]));
  return <EventList events={[...all.values()].sort((a, b) => a.seq - b.seq).slice(-most)} />;
}
