import type { EventCause, EventRecord } from './record.ts';

/** What is to be known of a cause, whoever tells of it. */
interface CauseRule {
  /** Why, in a few words for whoever reads. */
  readonly words: string;
  /** An operator should look. */
  readonly isWarned?: true;
  /** Where that says too little. */
  readonly level?: Level;
  /** Where it comes in several forms: `detail.form` says which. */
  readonly forms?: Readonly<Record<string, Form>>;
}

interface Form {
  readonly words: string;
  readonly level: Level;
}

/** How much it is anybody's business. */
export type Level = 'debug' | 'info' | 'warn' | 'error';

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
  refused: {
    words: 'refused for a limit',
    isWarned: true,
    forms: {
      seats: { words: 'connections refused, or closed for others: a limit is reached', level: 'warn' },
      // Of these the log has a line for each caller.
      access: { words: 'refused by the rules of access', level: 'debug' },
    },
  },
  started: { words: 'the bridge has started' },
  stalled: { words: 'the process was stalled, deadlines are postponed', isWarned: true },
  draining: { words: 'draining' },
  'store-failing': { words: 'the store cannot be written, trying again', isWarned: true, level: 'error' },
  'store-recovered': { words: 'the store can be written again' },
  certificate: {
    words: 'the certificate of TLS',
    isWarned: true,
    forms: {
      'ends-soon': { words: 'the certificate of TLS ends soon', level: 'warn' },
      ended: { words: 'the certificate of TLS has ended', level: 'error' },
      'not-yet': { words: 'the certificate of TLS is not valid yet', level: 'warn' },
      renewed: { words: 'the certificate of TLS was renewed', level: 'info' },
      'clients-renewed': { words: 'who vouches for clients over TLS was renewed', level: 'info' },
      refused: { words: 'the new certificate of TLS cannot be used, the one before stays', level: 'error' },
      'other-ends-soon': { words: 'a certificate that vouches for others on TLS ends soon', level: 'warn' },
      'other-ended': { words: 'a certificate that vouches for others on TLS has ended', level: 'warn' },
    },
  },
};

/** Why, in the words of the form in which it came. */
export function wordsOf({ cause, detail }: Pick<EventRecord, 'cause' | 'detail'>): string {
  return formOf(cause, detail)?.words ?? CAUSES[cause].words;
}

/** What happened to instances and changed no service is for who looks closer. */
export function levelOf({ kind, cause, detail }: Pick<EventRecord, 'kind' | 'cause' | 'detail'>): Level {
  if (kind === 'instance') return 'debug';
  const { level, isWarned } = CAUSES[cause];
  return formOf(cause, detail)?.level ?? level ?? (isWarned ? 'warn' : 'info');
}

function formOf(cause: EventCause, detail: EventRecord['detail']): Form | undefined {
  const { forms } = CAUSES[cause];
  const said = detail?.form;
  return forms !== undefined && typeof said === 'string' && Object.hasOwn(forms, said) ? forms[said] : undefined;
}
