/** Everything that is measured, in the order of the table. */
import { checks, secureChecks } from './checks.js';
import { connections } from './connections.js';
import { deregistrations, flips, largeFlips } from './flips.js';
import { httpChecks } from './http-checks.js';
import { instance } from './instance.js';
import { probes } from './probes.js';
import { registry } from './registry.js';
import { scale } from './scale.js';
import { starts } from './starts.js';
import { storedStarts, stores, storeWrites } from './store.js';
import { allTogether } from './together.js';
import { watches } from './watches.js';

export const GROUPS = [
  checks,
  secureChecks,
  httpChecks,
  watches,
  flips,
  largeFlips,
  deregistrations,
  registry,
  connections,
  scale,
  allTogether,
  starts,
  instance,
  stores,
  storedStarts,
  storeWrites,
  probes,
];
