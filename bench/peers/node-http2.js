/**
 * Streams of Node's HTTP/2 with nothing around them: whoever calls Check is answered SERVING, whoever calls anything else is told each
 * change. It reads no path but its last letter, and no message: nothing on this platform that does its work can be quicker by much.
 */
import { createServer } from 'node:http2';
import { listening, obey } from './obey.js';

/** Of 1,000 calls on a connection and more. */
const MAX_SESSION_MEMORY_MB = 1_000;
const HEADERS = { ':status': 200, 'content-type': 'application/grpc' };
const SERVING = Buffer.from([0, 0, 0, 0, 2, 8, 1]);
const NOT_SERVING = Buffer.from([0, 0, 0, 0, 2, 8, 2]);
const OK = { 'grpc-status': '0' };

const watching = new Set();

function ignore() {}

function sendOk() {
  this.sendTrailers(OK);
}

function forget() {
  watching.delete(this);
}

const server = createServer({ maxSessionMemory: MAX_SESSION_MEMORY_MB });
server.on('stream', (stream, headers) => {
  stream.on('error', ignore);
  stream.resume();
  if (headers[':path'].endsWith('k')) {
    stream.respond(HEADERS, { waitForTrailers: true, sendDate: false });
    stream.on('wantTrailers', sendOk);
    stream.end(SERVING);
    return;
  }
  stream.respond(HEADERS, { sendDate: false });
  stream.write(SERVING);
  watching.add(stream);
  stream.on('close', forget);
});
server.listen(0, '127.0.0.1', () => listening({ grpc: server.address().port }));
obey((isServing) => {
  for (const stream of watching) stream.write(isServing ? SERVING : NOT_SERVING);
});
