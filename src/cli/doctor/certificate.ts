import { OptionsError } from '../../options.ts';
import { certificatesIn, subjectOf } from '../../wire/identity.ts';
import { readIdentity } from '../identity.ts';
import type { Settings } from '../settings.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const A_DAY_MS = 86_400_000;

/** Until when the certificates are good. What else is wrong with them, the options are refused for. */
export async function certificateFindings(settings: Settings, now: number): Promise<readonly Finding[]> {
  if (settings.options.tlsCert === '') return [];
  const identity = await readIdentity(settings).catch((error: unknown) => {
    if (error instanceof OptionsError) return undefined;
    throw error;
  });
  if (identity === undefined) return [];
  const { tlsWarnDays } = settings.options;
  const chain = certificatesIn(identity.cert).map((one, i) => endingOf(i === 0 ? 'certificate' : 'chain', one));
  const clientCa = certificatesIn(identity.clientCa ?? '').map((one) => endingOf('client CA', one));
  return [...chain, ...clientCa].map((ending) => findingOf(ending, now, tlsWarnDays));
}

interface Ending {
  readonly check: string;
  readonly subject: string;
  readonly from: number;
  readonly until: number;
}

function endingOf(check: string, one: ReturnType<typeof certificatesIn>[number]): Ending {
  return { check, subject: subjectOf(one), from: Date.parse(one.validFrom), until: Date.parse(one.validTo) };
}

function findingOf({ check, subject, from, until }: Ending, now: number, warnDays: number): Finding {
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const todo = 'put a new one in its place: it is read anew while the server runs';
  const ended = `${subject} ended on ${day(until)}`;
  // Of those that vouch for others some are left over, and hurt nobody.
  if (now >= until) return check === 'certificate' ? fail(check, ended, todo) : warn(check, ended, todo);
  if (now < from) return warn(check, `${subject} is not valid before ${day(from)}`, 'look at the clock, or wait');
  const days = Math.floor((until - now) / A_DAY_MS);
  if (days <= warnDays) return warn(check, `${subject} ends in ${days} days, on ${day(until)}`, todo);
  return ok(check, `${subject} is valid until ${day(until)}`);
}
