/**
 * Rounds: each takes every work from everybody who does it, in turn, so that whatever else the machine does meanwhile meets all of
 * them. The figures of each are medians.
 *
 * A group is `{ name, subjects, works }`. Its subjects start servers, by name, and are there for all of its works; a work is
 * `{ name, title, take, lines }`, and may name its own subjects (`of`), want a new process each time (`fresh`) and do without times
 * that do not count, before all others (`cold`). `take(peer, { seconds, subject })` answers figures by name. Where the servers of a
 * group are at work by themselves, all but one stand still at any time (`alone`). A group that is `apart` is measured when it is asked
 * for by name. What a group has started beside its servers, it ends itself (`end`).
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Missing } from './toolchain.js';

/** What compilers want to have seen, in seconds of processor, and how often it is tried to show it to them. */
const WARM_UP_S = 1;
const WARM_AFTER_S = 1.5;
const WARM_UPS = 4;
/** What a process that stood still takes to be itself again. */
const COME_TO_MS = 2_000;

/** @typedef {Record<string, number>} Figures */

/**
 * @returns {Promise<{ name: string, title: string, lines: object[], subjects: Record<string, Outcome> }[]>} for each work
 * @typedef {{ figures?: Figures, samples: Figures[], reason?: string, failed?: boolean }} Outcome
 */
export async function measureGroup(group, works, { rounds, seconds, without, note }) {
  const peers = new Map();
  const results = works.map((work) => {
    const names = work.of ?? Object.keys(group.subjects);
    return { work, outcomes: Object.fromEntries(names.map((name) => [name, { samples: [] }])) };
  });
  const take = async (result, subject, forSeconds) => {
    const { work, outcomes } = result;
    note(`${group.name}/${work.name}: ${subject}`);
    try {
      if (without.includes(subject)) throw new Missing('left out by --without');
      const peer = await peerOf(group, subject, peers, work.fresh);
      try {
        if (group.alone) await comeTo(peer);
        return await work.take(peer, { seconds: forSeconds, subject });
      } finally {
        if (work.fresh) await peer.process.end();
        else if (group.alone) peer.process.halt();
      }
    } catch (error) {
      outcomes[subject].reason = error.message;
      outcomes[subject].failed = !(error instanceof Missing);
    }
  };
  const warmUp = async (result, subject) => {
    const used = () => (peers.get(subject)?.peer?.process.used().ns ?? 0) / 1e9;
    const before = used();
    for (let i = 0; i < WARM_UPS && used() - before < WARM_AFTER_S; i++) {
      if (result.outcomes[subject].reason !== undefined) return;
      await take(result, subject, WARM_UP_S);
    }
  };
  try {
    for (const result of results) {
      if (result.work.cold || result.work.fresh) continue;
      for (const subject of Object.keys(result.outcomes)) await warmUp(result, subject);
    }
    for (let round = 0; round < rounds; round++)
      for (const result of results)
        for (const subject of inTurn(Object.keys(result.outcomes), round)) {
          const outcome = result.outcomes[subject];
          if (outcome.reason !== undefined) continue;
          const figures = await take(result, subject, seconds);
          if (figures !== undefined) outcome.samples.push(figures);
        }
  } finally {
    for (const { peer } of peers.values()) await peer?.process.end();
    await group.end?.();
  }
  return results.map(({ work, outcomes }) => ({ ...named(group, work), subjects: mapValues(outcomes, withMedians) }));
}

/** Who is first has the quieter machine, or the colder one. */
function inTurn(names, round) {
  return round % 2 === 0 ? names : names.toReversed();
}

async function comeTo(peer) {
  peer.process.resume();
  await pause(COME_TO_MS);
}

/** A server that could not be started is not tried again. */
async function peerOf(group, subject, peers, fresh) {
  if (fresh) return group.subjects[subject]();
  if (!peers.has(subject)) {
    const started = {};
    peers.set(subject, started);
    try {
      started.peer = await group.subjects[subject]();
      if (group.alone) started.peer.process.halt();
    } catch (error) {
      started.error = error;
    }
  }
  const { peer, error } = peers.get(subject);
  if (error !== undefined) throw error;
  return peer;
}

function named(group, { name, title, lines }) {
  return { name: `${group.name}/${name}`, title, lines };
}

function withMedians(outcome) {
  if (outcome.samples.length === 0 || outcome.reason !== undefined) return outcome;
  const names = Object.keys(outcome.samples[0]);
  return {
    ...outcome,
    figures: Object.fromEntries(names.map((name) => [name, median(outcome.samples.map((one) => one[name]))])),
  };
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The smallest that is not less than so many of a hundred. */
export function percentile(numbers, hundredth) {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * hundredth) / 100) - 1)];
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}
