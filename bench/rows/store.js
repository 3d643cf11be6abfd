/**
 * What keeping things costs: beats and Checks with a store and without; a start with a million ephemeral instances kept, all of which
 * then fall silent at once; and the slowest Check, of those that follow one another, while 100,000 changes are written.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { healthRequest } from '../loads/grpc-frames.js';
import { Http2Connection } from '../loads/http2-connection.js';
import { h2load } from '../loads/programs.js';
import { beatbridge, SERVICE } from '../peers/peers.js';
import { costOf } from '../use.js';
import { calls, filled } from './registry.js';

const run = promisify(execFile);
const KEPT = 1_000_000;
const BEATING = 1_000;
/** Beside a start with all of them; after so long they have been silent for too long. */
const QUIET_MS = 10_000;
const SILENT_MS = 15_000;
const FILL = join(import.meta.dirname, '../loads/fill-store.js');
const INSIDE = join(import.meta.dirname, '../inside-store.js');
const CHECK = '/grpc.health.v1.Health/Check';

const root = mkdtempSync(join(tmpdir(), 'beatbridge-bench-store-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => join(root, String(++folders));

let full;

async function fullFolder() {
  if (full === undefined) {
    full = newFolder();
    await run(process.execPath, [FILL, full, String(KEPT)]);
  }
  const copy = newFolder();
  cpSync(full, copy, { recursive: true });
  return copy;
}

/** What it keeps is the last that it is told. */
const withStore = (folder, nodeFlags = []) => beatbridge(['--data-dir', folder, '--probes', 'false'], nodeFlags);

const check = (peer, { seconds }) =>
  costOf(peer, () => {
    const call = { path: CHECK, message: healthRequest(SERVICE) };
    return h2load({ port: peer.grpcPort, ...call, connections: 10, streams: 10, seconds });
  });

const beside = ['perSecond', 'cpuUs'].map((figure) => ({ figure, peer: 'without a store' }));

export const stores = {
  name: 'store',
  apart: true,
  subjects: {
    beatbridge: async () => filled(await withStore(newFolder()), BEATING),
    'without a store': async () => filled(await withStore('none'), BEATING),
  },
  works: [
    { name: 'beat', title: 'beats with a store', take: calls('beat', BEATING), lines: beside },
    { name: 'check', title: 'Checks with a store', take: check, lines: beside },
  ],
};

const begin = async (peer) => {
  const { readyMs } = peer.process;
  const rssMB = peer.process.rssBytes() / 1e6;
  await peer.process.ask('watchLoop');
  await pause(QUIET_MS);
  const quiet = await peer.process.ask('loop');
  await peer.process.ask('watchLoop');
  await pause(SILENT_MS);
  const silent = await peer.process.ask('loop');
  return { readyMs, rssMB, quietMs: quiet.longestMs, silentMs: silent.longestMs };
};

export const storedStarts = {
  name: 'store',
  apart: true,
  subjects: { beatbridge: async () => withStore(await fullFolder()) },
  works: [
    {
      name: 'start',
      title: 'a start with 1,000,000 instances kept',
      fresh: true,
      take: begin,
      lines: ['readyMs', 'rssMB', 'quietMs', 'silentMs'].map((figure) => ({ figure })),
    },
  ],
};

/** One Check after the other until that is done. */
async function slowestCheck(peer, done) {
  let isDone = false;
  const over = done.finally(() => {
    isDone = true;
  });
  const connection = await Http2Connection.open(peer.grpcPort);
  let longestMs = 0;
  while (!isDone) {
    const began = performance.now();
    await new Promise((resolve, reject) => {
      connection.onEnd = (_, error) => (error === undefined ? resolve() : reject(error));
      connection.onFailure = reject;
      connection.call(CHECK, healthRequest(SERVICE));
    });
    longestMs = Math.max(longestMs, performance.now() - began);
  }
  connection.close();
  await over;
  return { longestMs };
}

export const storeWrites = {
  name: 'store',
  apart: true,
  subjects: { beatbridge: () => withStore('none', ['--import', INSIDE]) },
  works: [
    { name: 'no-write', title: 'the slowest Check while nothing is written' },
    { name: 'write', title: 'the slowest Check while 100,000 changes are written', word: 'write' },
    {
      name: 'write-urgent',
      title: 'the slowest Check while 100,000 changes that must survive are written',
      word: 'write-urgent',
    },
  ].map(({ name, title, word }) => ({
    name,
    title,
    take: (peer) => slowestCheck(peer, word === undefined ? pause(2_000) : peer.process.ask(`${word}:${newFolder()}`)),
    lines: [{ figure: 'longestMs' }],
  })),
};
