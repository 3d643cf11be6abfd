import { adviceFor } from './advice.ts';
import { awayInWords, inWords } from './duration.ts';
import { byOf } from './event-line.ts';
import { addressIn, type Fields, fieldsOf, listIn, numberIn, textIn, timeIn, withoutUsualGroup } from './fields.ts';

/** Who fails by which cause, in words, and what is to be done about it. */

const WORDS: Readonly<Record<string, string>> = {
  silent: 'is silent',
  removed: 'was silent for so long that it was removed',
  'connection-ended': 'is gone',
  deregistered: 'is gone',
  probe: 'fails its check',
  disabled: 'is disabled',
  'weight-0': 'has weight 0',
  drained: 'is drained',
  'registered-unhealthy': 'is said to be unhealthy',
  restored: 'is not back yet',
};

/** As the server tells them; else, where it does not, those that stand with the counts: who is drained, edited, or fails its check. */
export function failingIn(told: Fields): readonly Fields[] {
  const failing = listIn(told, 'failing');
  if (failing.length > 0) return failing;
  return listIn(told, 'services').flatMap((service) => {
    const drains = listIn(service, 'drains').map((one) => ({ ...one, cause: 'drained' }));
    const drained = new Set(drains.map(addressIn));
    return [...drains, ...listIn(service, 'edits').flatMap(editedOut), ...listIn(service, 'checks').flatMap(checkedOut)].filter(
      (one) => one.cause === 'drained' || !drained.has(addressIn(one)),
    );
  });
}

function editedOut(one: Fields): readonly Fields[] {
  const { enabled, weight } = fieldsOf(one.edit);
  const cause = enabled === false ? 'disabled' : weight === 0 ? 'weight-0' : undefined;
  return cause === undefined ? [] : [{ ...one, cause, reason: EDITED }];
}

function checkedOut(one: Fields): readonly Fields[] {
  if (textIn(one, 'verdict') !== 'failing') return [];
  return [{ ...one, cause: 'probe', reason: `${textIn(one, 'check') ?? ''}: ${textIn(one, 'reason') ?? ''}` }];
}

const EDITED = 'edited by an operator';

/** One or two lines of one instance: why, since when and by whom; and its last beat. */
export function linesOf(one: Fields, width: number, now: number, withService: boolean): readonly string[] {
  const cause = textIn(one, 'cause') ?? '';
  const [reason, until, since] = [textIn(one, 'reason'), timeIn(one, 'until'), timeIn(one, 'since')];
  const name = textIn(one, 'service');
  const by = cause === 'drained' ? byOf(fieldsOf(one.by)) : '';
  const why = [
    `${WORDS[cause] ?? cause}${until === undefined ? '' : ` until ${timeText(until, now)}`}`,
    ...(by === '' ? [] : [by]),
    ...(since === undefined ? [] : [`since ${pastText(since, now)}`]),
  ].join(', ');
  const of = withService && name !== undefined ? ` of ${withoutUsualGroup(`${textIn(one, 'group') ?? ''}@@${name}`)}` : '';
  const said = reason === undefined ? why : `${why}: ${reason}`;
  const beat = beatOf(one, now);
  const address = addressIn(one).padEnd(width);
  return [
    `  ${address}  ${said}${of === '' ? '' : ` (${of.trim()})`}`,
    ...(beat === '' ? [] : [`  ${' '.repeat(width)}  ${beat}`]),
  ];
}

function beatOf(one: Fields, now: number): string {
  const [at, from, agent, interval] = [
    timeIn(one, 'lastBeatAt'),
    textIn(one, 'heardFrom'),
    textIn(one, 'client'),
    numberIn(one, 'intervalMs'),
  ];
  // Of one that has gone with its connection, the event says from where.
  if (at === undefined && from === undefined) return agent ?? '';
  return [
    `last ${at === undefined ? 'heard of' : `beat ${pastText(at, now)}`}${from === undefined ? '' : ` from ${from}`}`,
    ...(agent === undefined ? [] : [`by ${agent}`]),
    ...(interval === undefined ? [] : [`usually every ${interval < 1_000 ? `${Math.round(interval)}ms` : inWords(interval)}`]),
  ].join(', ');
}

/** To the second, in ISO 8601, and how long ago that is. */
export function timeText(at: number, now: number): string {
  return `${new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')} (${awayInWords(now - at)})`;
}

/** The same of what has been, by a server whose clock may be ahead of ours: so it is where one was restarted just now. */
export function pastText(at: number, now: number): string {
  return timeText(at, Math.max(at, now));
}

/** Each cause once, the most frequent first. */
export function adviceOn(failing: readonly Fields[], now: number): readonly string[] {
  const byCause = new Map<string, Fields[]>();
  for (const one of failing) {
    const key = adviceKey(one);
    const known = byCause.get(key);
    if (known === undefined) byCause.set(key, [one]);
    else known.push(one);
  }
  return [...byCause]
    .sort(([, a], [, b]) => b.length - a.length)
    .flatMap(([key, all]) => {
      const said = adviceFor(key);
      const [first] = all;
      if (said === undefined || first === undefined) return [];
      const until = timeIn(first, 'until');
      const text = said
        .replaceAll('IP:PORT', addressIn(first))
        .replaceAll('UNTIL', until === undefined ? 'the time that was given' : timeText(until, now));
      return [`${textIn(first, 'cause') ?? ''} (${all.length}): ${text}`];
    });
}

/** What an operator has done, an operator takes back; what a client says, it has to say otherwise. */
function adviceKey(one: Fields): string {
  const cause = textIn(one, 'cause') ?? '';
  const isOwn = (cause === 'disabled' || cause === 'weight-0') && textIn(one, 'reason') === ITS_CLIENT;
  return isOwn ? `${cause} by its client` : cause;
}

const ITS_CLIENT = 'its client says so';
