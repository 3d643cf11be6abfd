import { connect } from 'node:http2';
import { createInterface } from 'node:readline';

/**
 * A client that asks fifty times a second for the health of a service, over one connection, in a process of its own so that nobody
 * keeps it from asking. `HOST:PORT SERVICE`. For each line on standard input one with what has become of its questions since the one
 * before: those that were answered with anything but SERVING, or not within five seconds, have failed.
 */

const EVERY_MS = 20;
const WITHIN_MS = 5_000;
const SERVING = 1;

const [address, service = ''] = process.argv.slice(2);
const name = Buffer.from(service);
const question = Buffer.concat([Buffer.from([0, 0, 0, 0, name.length + 2, 0x0a, name.length]), name]);
const header = {
  ':method': 'POST',
  ':path': '/grpc.health.v1.Health/Check',
  'content-type': 'application/grpc',
  te: 'trailers',
};

let session = open();
let underWay = 0;
let seen = nothing();
let onSettled = () => {};

function nothing() {
  return { asked: 0, failed: 0, longestMs: 0, why: [] };
}

function open() {
  const opened = connect(`http://${address}`);
  opened.on('error', () => {});
  return opened;
}

function ask() {
  if (session.closed || session.destroyed) session = open();
  const started = performance.now();
  const noted = seen;
  noted.asked++;
  underWay++;
  let last;
  let isOver = false;
  const over = (failure) => {
    if (isOver) return;
    isOver = true;
    clearTimeout(limit);
    underWay--;
    const ms = performance.now() - started;
    noted.longestMs = Math.max(noted.longestMs, ms);
    if (failure !== undefined) {
      noted.failed++;
      if (noted.why.length < 5) noted.why.push(failure);
    }
    if (underWay === 0) onSettled();
  };
  const limit = setTimeout(() => over('no answer'), WITHIN_MS);
  try {
    const stream = session.request(header);
    stream.on('data', (chunk) => {
      last = chunk.at(-1);
    });
    stream.on('error', (error) => over(error.message));
    stream.on('close', () => over(last === SERVING ? undefined : `answered ${last}`));
    stream.end(question);
  } catch (error) {
    over(error.message);
  }
}

setInterval(ask, EVERY_MS);

for await (const _ of createInterface({ input: process.stdin })) {
  const told = seen;
  seen = nothing();
  // Its answers may still be under way, and those of the next questions come no sooner.
  while (underWay > 0 && told.asked > 0) {
    await new Promise((resolve) => {
      onSettled = resolve;
    });
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
process.exit();
