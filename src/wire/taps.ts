import { CallCounts } from './call-counts.ts';
import { Histogram } from './histogram.ts';

/**
 * What is counted where it happens, in one table: plain numbers that rise from the start on. Rooms that serve add to them and never read
 * them; whoever tells of them reads them and never adds.
 */
export class Taps {
  /** Of gRPC, whatever its dress. */
  readonly calls = new CallCounts();
  /** By what they came to: of an instance that is here; of one that its beat registers; of none. */
  readonly beats = { known: 0, registering: 0, unknown: 0 };
  /** By how much they came later than was to be expected of them. */
  readonly beatLateness = new Histogram([0.1, 0.5, 1, 2, 5, 10, 15, 30, 60]);
  /** From a change of a status until a watch was sent it. */
  readonly watchNotify = new Histogram([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]);
  /** Over connections of Nacos 2.x: lists pushed, and what became of them. */
  readonly pushes = { sent: 0, acknowledged: 0, failed: 0, costMs: 0, maxCostMs: 0 };
  /** How long each look for what silence has made due took. */
  readonly sweeps = new Histogram([0.000_1, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1]);
  /** In which nobody could be heard. */
  readonly stalls = new Histogram([2, 5, 10, 30, 60, 300]);
  /** By result, a constant each: what became of messages to webhooks, and how many events these were never told. */
  readonly webhooks = new Map<string, number>();
}
