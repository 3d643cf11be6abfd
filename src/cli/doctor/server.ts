import { CAUSES } from '../../events/causes.ts';
import { CallError, ClientError, oneLine } from '../client/failures.ts';
import { ask, jsonLinesFrom } from '../client/http.ts';
import { isObject } from '../client/instance-place.ts';
import type { Target } from '../client/target.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** What a server says that runs: how it is, what its clock says, and of what it has warned. */
export interface ServerLook {
  readonly target: Target;
  /** Somebody has named it, so it has to be there. */
  readonly isNamed: boolean;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

export async function serverFindings(look: ServerLook): Promise<readonly Finding[]> {
  const { target, isNamed } = look;
  try {
    const before = look.wallClock();
    const answer = await ask(target, { method: 'GET', path: '/readyz', query: { verbose: '' }, headers: { accept: JSON_TYPE } });
    const after = look.wallClock();
    const text = await answer.text();
    const clock = clockFinding(answer.date, { before, after });
    return [...readiness(target, answer.status, text), ...clock, ...(await warned(target))];
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const todo = 'start it, or name another by --addr; over TLS with --tls';
    return [isNamed ? fail('server', error.message, todo) : warn('server', `none is running: ${error.message}`, todo)];
  }
}

const JSON_TYPE = 'application/json';

function readiness({ addr, authorization }: Target, status: number, text: string): readonly Finding[] {
  const isReady = status === 200;
  const said = parsed(text);
  if (!isObject(said) || !Array.isArray(said.parts)) {
    if (status === 401 || status === 403)
      return [warn('server', `${addr} refuses this login: ${oneLine(text)}`, 'give another by --token-file, and look again')];
    if ((status !== 200 && status !== 503) || !isOurs(text))
      return [fail('server', `${addr} answers ${status} to /readyz, not as a beatbridge does`, 'is it one?')];
    const says = `${addr} is ${isReady ? 'ready' : 'not ready'}; of what it is made it tells only who may read`;
    if (isReady && authorization !== undefined)
      return [
        warn(
          'server',
          `${addr} is ready, and refuses this login, or lets it not read`,
          'give another by --token-file, and look again',
        ),
      ];
    return [isReady ? ok('server', says) : fail('server', says, 'give --token-file, and look again')];
  }
  const parts = said.parts.filter(isObject);
  const troubled = parts.filter((part) => part.ok !== true);
  const summary = `${addr} is ${isReady ? 'ready' : 'not ready'}, ${parts.length - troubled.length} of ${parts.length} parts are well`;
  const first = isReady ? ok('server', summary) : fail('server', summary, 'see below which part is not');
  return [first, ...troubled.map(partFinding), ...parts.flatMap(limitFindings)];
}

/** To whoever may not read it says no more. */
function isOurs(text: string): boolean {
  return /^(ok|not ready)\n?$/.test(text);
}

function partFinding({ name, says, isNeeded }: Readonly<Record<string, unknown>>): Finding {
  const check = String(name).slice(0, 40);
  const short = String(says).slice(0, MOST_SAID);
  const todo = 'its log says more';
  return isNeeded === true ? fail(check, short, todo) : warn(check, short, todo);
}

const MOST_SAID = 300;
/** Of a limit, from which on somebody should look. */
const NEARLY = 0.8;

/** `connections 1 of 19960, watches 0 of 100000; refused: nothing`. */
function limitFindings({ name, says }: Readonly<Record<string, unknown>>): readonly Finding[] {
  if (name !== 'limits') return [];
  const uses = [...String(says).matchAll(/(?:^|, )([^,;]+?) (\d+) of (\d+)(?=[,;]|$)/g)];
  return uses.flatMap(([, what = '', used, most]) => {
    const share = Number(used) / Number(most);
    if (!(share >= NEARLY)) return [];
    const text = `${what}: ${used} of ${most}`;
    return [warn('limits', text, 'raise the limit if these are to be, or look who brings them (beatbridge events, clients)')];
  });
}

const SKEWED_MS = 5_000;
const FAR_OFF_MS = 60_000;

/** The header says whole seconds, and was written between these two. */
export function clockFinding(
  date: string | undefined,
  asked: { readonly before: number; readonly after: number },
): readonly Finding[] {
  const at = Date.parse(date ?? '');
  if (Number.isNaN(at)) return [];
  const skewMs = asked.before > at + 1_000 ? at + 1_000 - asked.before : Math.max(0, at - asked.after);
  const seconds = Math.round(Math.abs(skewMs) / 1_000);
  const says = `the server's is ${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} this machine's`;
  const todo = 'set both by NTP: times of events and the ends of logins and certificates go by it';
  if (Math.abs(skewMs) >= FAR_OFF_MS) return [fail('clock', says, todo)];
  if (Math.abs(skewMs) >= SKEWED_MS) return [warn('clock', says, todo)];
  return [ok('clock', 'as that of the server')];
}

const LOOKED_AT_OF_EVENTS = 1_000;

/** Of what an operator should have heard within the last hour, each cause once. */
async function warned(target: Target): Promise<readonly Finding[]> {
  const causes = Object.entries(CAUSES).filter(([cause, { isWarned }]) => isWarned === true || cause === 'refused');
  const query = { cause: causes.map(([cause]) => cause).join(','), since: '1h', limit: LOOKED_AT_OF_EVENTS };
  const counts = new Map<string, { count: number; last: string }>();
  try {
    for await (const event of jsonLinesFrom(target, { method: 'GET', path: '/events', query })) {
      if (!isObject(event)) continue;
      const cause = String(event.cause);
      counts.set(cause, { count: (counts.get(cause)?.count ?? 0) + 1, last: String(event.at) });
    }
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return [warn('events', `they cannot be read: ${error.message}`, 'give --token-file, or ask from where reading is allowed')];
  }
  if (counts.size === 0) return [ok('events', 'nothing to warn of within the last hour')];
  return causes.flatMap(([cause, { words }]) => {
    const found = counts.get(cause);
    if (found === undefined) return [];
    const says = `${cause}: ${words}, ${found.count} times within the last hour, last at ${found.last.slice(0, 40)}`;
    return [warn('events', says, `beatbridge events --cause ${cause} --since 1h`)];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
