import type { Logger } from 'pino';
import { descriptorLimit } from '../wire/descriptors.ts';
import type { Refused } from '../wire/refused.ts';
import { systemScheduler } from '../wire/scheduler.ts';
import { type Limit, Seats, type SeatsLimits } from '../wire/seats.ts';

/**
 * Seats for as many as the process may have descriptors for. That limit says nothing of how many clients there will be: a warning where it
 * is no more than a trial's.
 */
export function seatsOf(limits: SeatsLimits, now: () => number, log: Logger, refused: Refused): Seats {
  const limit = descriptorLimit();
  if (limit < FEW_DESCRIPTORS) log.warn({ limit }, 'the limit of open files and sockets is low (ulimit -n)');
  const { maxSockets, maxSocketsPerPeer } = limits;
  const onRefused = (count: number, open: number, by: Limit) => {
    // What the process needs for itself is taken from the descriptors alone.
    const ofAll = seats.most < maxSockets ? 'ulimit -n' : '--max-sockets';
    const facts =
      by === 'connections'
        ? { limit: seats.most, option: ofAll }
        : { limit: maxSocketsPerPeer, option: '--max-sockets-per-peer' };
    refused.tell({ reason: by, count, facts: { form: 'seats', open, ...facts } });
  };
  const seats = new Seats({ descriptors: limit, limits, scheduler: systemScheduler, now, onRefused, refused });
  return seats;
}

const FEW_DESCRIPTORS = 4_096;
