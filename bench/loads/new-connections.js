/** Checks over gRPC, each over a connection of its own, as probes make them: begun, asked, answered, reset. */
import { connect } from 'node:net';
import { callHeaders, END_STREAM, FRAME, frame, healthRequest, PREFACE } from './grpc-frames.js';

const AT_ONCE = 20;
const HEAD = 9;
/** What a Check that says SERVING has in it. */
const SERVING = Buffer.from([0, 0, 0, 0, 2, 8, 1]);

export async function checksOverNewConnections({ port, service, seconds }) {
  const path = '/grpc.health.v1.Health/Check';
  const bytes = Buffer.concat([PREFACE, callHeaders(1, path), frame(FRAME.data, END_STREAM, 1, healthRequest(service))]);
  const end = performance.now() + seconds * 1_000;
  let done = 0;
  const one = async () => {
    for (; performance.now() < end; done++) await check(port, bytes);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return { done, perSecond: done / seconds };
}

function check(port, bytes) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let heard = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      heard = heard.length === 0 ? chunk : Buffer.concat([heard, chunk]);
      if (!hasEnded(heard)) return;
      socket.resetAndDestroy();
      if (heard.includes(SERVING)) resolve();
      else reject(new Error('a Check was not answered with SERVING'));
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the connection has ended before the Check')));
    socket.write(bytes);
  });
}

/** Whether the call is over, by what has come. */
function hasEnded(bytes) {
  for (let at = 0; at + HEAD <= bytes.length; at += HEAD + bytes.readUIntBE(at, 3)) {
    const [type, flags, stream] = [bytes[at + 3], bytes[at + 4], bytes.readUInt32BE(at + 5)];
    const isWhole = at + HEAD + bytes.readUIntBE(at, 3) <= bytes.length;
    if (isWhole && stream === 1 && type <= FRAME.headers && (flags & END_STREAM) !== 0) return true;
  }
  return false;
}
