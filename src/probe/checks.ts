import { Bag } from '../wire/bag.ts';
import { CheckError, type MakeCheck, type Target, timedOut } from './check.ts';
import { createDial, type Dial, type DialRules } from './dial.ts';
import { checkGrpc } from './grpc.ts';
import { checkHttp } from './http.ts';
import { type Lookup, Lookups, notAnswered } from './lookups.ts';
import { checkMysql } from './mysql.ts';
import { checkTcp } from './tcp.ts';

/**
 * Makes checks, one kind a file: each dials, asks once, and leaves nothing behind. What is wrong in passing counts, and what answers as
 * it should not takes the instance out at once. No word that the other side has sent is ever repeated.
 */
export interface Checks {
  readonly check: MakeCheck;
  /** Ends those that are under way. */
  close(): Promise<void>;
}

export interface CheckRules extends DialRules {
  /** How host names are resolved; as the system does, if undefined. */
  readonly lookup?: Lookup | undefined;
  /** Whose certificates are trusted, in place of Node's own list; PEM. */
  readonly ca?: string | undefined;
}

export function createChecks(rules: CheckRules): Checks {
  const lookups = new Lookups(rules.lookup);
  const dial = createDial(rules, lookups);
  const late = (ending: AbortSignal) => (lookups.isAsking(ending) ? notAnswered() : timedOut());
  /** The checks under way, and what ends each, and all that it has dialled. */
  const underWay = new Bag<{ readonly ending: AbortController; readonly checking: Promise<void> }>();
  let isClosed = false;
  const check: MakeCheck = (target, signal) => {
    if (isClosed) return Promise.reject(closed());
    if (signal.aborted) return Promise.reject(timedOut());
    const ending = new AbortController();
    const work = () => make(target, dial, ending.signal, rules.ca);
    const checking = bounded({ signal, ending, late, work });
    const over = underWay.add({ ending, checking });
    return checking.finally(over);
  };
  return {
    check,
    close: async () => {
      isClosed = true;
      const open = underWay.members();
      for (const { ending } of open) ending.abort(closed());
      await Promise.allSettled(open.map(({ checking }) => checking));
    },
  };
}

async function make({ ip, port, check }: Target, dial: Dial, signal: AbortSignal, ca: string | undefined): Promise<void> {
  switch (check.type) {
    case 'tcp':
      return checkTcp(ip, port, dial, signal);
    case 'http':
      return checkHttp(check, ip, port, dial, signal, ca);
    case 'mysql':
      return checkMysql(check, ip, port, dial, signal);
    case 'grpc':
      return checkGrpc(check, ip, port, dial, signal, ca);
    case 'none':
      return;
  }
}

interface Bounds {
  readonly signal: AbortSignal;
  /** Ends all that `work` has dialled: when `signal` aborts, when the work has ended, and when somebody else has a reason. */
  readonly ending: AbortController;
  /** What it means that the work has not ended by then. */
  readonly late: (ending: AbortSignal) => CheckError;
  readonly work: () => Promise<void>;
}

function bounded({ signal, ending, late, work }: Bounds): Promise<void> {
  const stop = () => ending.abort(late(ending.signal));
  signal.addEventListener('abort', stop);
  return new Promise<void>((resolve, reject) => {
    ending.signal.addEventListener('abort', () => reject(ending.signal.reason));
    work().then(resolve, reject);
  }).finally(() => {
    signal.removeEventListener('abort', stop);
    // With a reason, or one would be made of every check, stack and all.
    ending.abort(OVER);
  });
}

const OVER = new CheckError('check failed', 'impossible');

function closed(): CheckError {
  return new CheckError('check failed', 'impossible');
}
