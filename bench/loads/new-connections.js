/**
 * Checks over gRPC, each over a connection of its own. `as`: 'probe', in the frames that grpc_health_probe 0.4.37 was seen to send, as
 * every client made with grpc-go, kubelet among them: it waits for the server's SETTINGS, then asks, and leaves with a PING and a
 * GOAWAY; 'reset', all in one write, and reset when it is answered, as balancers end their checks.
 */
import { connect } from 'node:net';
import { ACK, callHeaders, END_STREAM, FRAME, frame, healthRequest, PREFACE, uint32 } from './grpc-frames.js';

const AT_ONCE = 20;
const HEAD = 9;
/** What a Check that says SERVING has in it. */
const SERVING = Buffer.from([0, 0, 0, 0, 2, 8, 1]);
const ACKNOWLEDGED = frame(FRAME.settings, ACK, 0);
const LEAVING = Buffer.concat([
  frame(FRAME.windowUpdate, 0, 0, uint32(7)),
  frame(FRAME.ping, 0, 0, Buffer.alloc(8)),
  frame(FRAME.goaway, 0, 0, Buffer.concat([Buffer.alloc(8), Buffer.from('client transport shutdown')])),
]);

export async function checksOverNewConnections({ port, service, seconds, as }) {
  const path = '/grpc.health.v1.Health/Check';
  const call = Buffer.concat([callHeaders(1, path), frame(FRAME.data, END_STREAM, 1, healthRequest(service))]);
  const end = performance.now() + seconds * 1_000;
  let done = 0;
  const one = async () => {
    for (; performance.now() < end; done++) await (as === 'probe' ? probe(port, call, addressOf(done)) : check(port, call));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return { done, perSecond: done / seconds };
}

/** Whoever closes first keeps the port of the pair for a minute: one address of loopback would not have enough. */
function addressOf(done) {
  return `127.0.0.${2 + (done % 250)}`;
}

function probe(port, call, localAddress) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
    let heard = Buffer.alloc(0);
    let isAsked = false;
    let isAnswered = false;
    socket.on('data', (chunk) => {
      heard = heard.length === 0 ? chunk : Buffer.concat([heard, chunk]);
      if (!isAsked) {
        isAsked = true;
        socket.write(Buffer.concat([ACKNOWLEDGED, call]));
      } else if (!isAnswered && hasEnded(heard)) {
        isAnswered = true;
        socket.end(LEAVING);
      }
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (heard.includes(SERVING)) resolve();
      else reject(new Error('the connection has ended before the Check, or it was not answered with SERVING'));
    });
    socket.write(PREFACE);
  });
}

function check(port, call) {
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
    socket.write(Buffer.concat([PREFACE, call]));
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
