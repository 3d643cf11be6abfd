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
  /** The checks under way, and what ends each. */
  const underWay = new Map<Promise<void>, AbortController>();
  let isClosed = false;
  const check: MakeCheck = (target, signal) => {
    if (isClosed) return Promise.reject(closed());
    const closing = new AbortController();
    const work = (ending: AbortSignal) => make(target, dial, ending, rules.ca);
    const checking = bounded({ signal, closing: closing.signal, late, work }).finally(() => underWay.delete(checking));
    underWay.set(checking, closing);
    return checking;
  };
  return {
    check,
    close: async () => {
      isClosed = true;
      for (const closing of underWay.values()) closing.abort();
      await Promise.allSettled(underWay.keys());
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
  readonly closing: AbortSignal;
  /** What it means that the work has not ended by then. */
  readonly late: (ending: AbortSignal) => CheckError;
  readonly work: (ending: AbortSignal) => Promise<void>;
}

/** What is dialled with the signal that `work` gets ends when the work does, and when one of the two others aborts. */
async function bounded({ signal, closing, late, work }: Bounds): Promise<void> {
  if (signal.aborted) throw timedOut();
  const ending = new AbortController();
  const end = () => ending.abort();
  closing.addEventListener('abort', end);
  signal.addEventListener('abort', end);
  try {
    const ended = new Promise<never>((_, reject) => {
      ending.signal.addEventListener('abort', () => reject(closing.aborted ? closed() : late(ending.signal)));
    });
    await Promise.race([work(ending.signal), ended]);
  } finally {
    closing.removeEventListener('abort', end);
    signal.removeEventListener('abort', end);
    end();
  }
}

function closed(): CheckError {
  return new CheckError('check failed', 'impossible');
}
