import type { Logger } from 'pino';
import { descriptorLimit } from '../wire/descriptors.ts';
import type { Refused } from '../wire/refused.ts';
import { systemScheduler } from '../wire/scheduler.ts';
import { Seats, type SeatsLimits } from '../wire/seats.ts';

/**
 * Seats for as many as the process may have descriptors for. That limit says nothing of how many clients there will be: a warning where it
 * is no more than a trial's.
 */
export function seatsOf(limits: SeatsLimits, log: Logger, refused: Refused): Seats {
  const limit = descriptorLimit();
  if (limit < FEW_DESCRIPTORS) log.warn({ limit }, 'the limit of open files and sockets is low (ulimit -n)');
  const onRefused = (count: number, open: number) =>
    log.warn({ count, open, limit }, 'connections refused, or closed for others: a limit is reached (ulimit -n, --max-sockets)');
  return new Seats({ descriptors: limit, limits, scheduler: systemScheduler, onRefused, refused });
}

const FEW_DESCRIPTORS = 4_096;
