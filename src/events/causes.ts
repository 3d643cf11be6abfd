import type { EventCause } from './record.ts';

/** What is to be known of a cause, whoever tells of it. */
interface CauseRule {
  /** Why, in a few words for whoever reads. */
  readonly words: string;
  /** An operator should look. */
  readonly isWarned?: true;
}

/** Every cause there is: docs and log levels are compared with it. */
export const CAUSES: Readonly<Record<EventCause, CauseRule>> = {
  registered: { words: 'registered' },
  're-registered': { words: 'registered again' },
  returned: { words: 'registered again after it had gone' },
  beat: { words: 'beats again' },
  silent: { words: 'no beat for too long' },
  removed: { words: 'no beat for even longer, and so removed' },
  deregistered: { words: 'said goodbye' },
  'connection-ended': { words: 'its connection ended' },
  edited: { words: 'edited by an operator' },
  drained: { words: 'taken out for a time' },
  resumed: { words: 'no longer taken out' },
  probe: { words: 'as its check found' },
  restored: { words: 'as it was before the restart' },
  created: { words: 'created' },
  configured: { words: 'settings were changed' },
  forgotten: { words: 'without instances for too long, and so forgotten' },
  dropped: { words: 'dropped by an operator' },
  'mass-silence': { words: 'very many fell silent at once, removals are slowed', isWarned: true },
  'mass-loss': { words: 'very many connections ended at once, their instances are kept for now', isWarned: true },
  postponed: { words: 'nobody could be heard for a while, deadlines are postponed' },
  lasted: { words: 'what had changed has lasted' },
  refused: { words: 'refused' },
  started: { words: 'the bridge has started' },
  stalled: { words: 'the bridge was stalled', isWarned: true },
  draining: { words: 'the bridge goes' },
  'store-failing': { words: 'what is to be kept cannot be written', isWarned: true },
  'store-recovered': { words: 'what is to be kept is written again' },
  certificate: { words: 'the certificate', isWarned: true },
};
