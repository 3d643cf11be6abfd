/** Calls, as many as there can be, over connections of their own. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';

const CONNECTIONS = 16;
const CALLS_UNDER_WAY = 64;

/** Makes the calls of these numbers. */
export async function makeAll(port, count, call) {
  let i = 0;
  await overHttp1(port, () => (i < count ? call(i++) : undefined));
}

/** Beats in a second, of 10.0.0.0:8080 and those after it in the service `beating`. */
export async function beats(port, seconds, services) {
  const end = performance.now() + seconds * 1_000;
  let count = 0;
  await overHttp1(port, () => {
    if (performance.now() >= end) return undefined;
    return `PUT /nacos/v1/ns/instance/beat?serviceName=beating&ip=10.0.0.${count++ % services}&port=8080`;
  });
  return count / seconds;
}

/** Makes calls over some connections, one after the other on each, for as long as there is a next one. */
async function overHttp1(port, next) {
  const talk = async () => {
    const socket = connect(port, '127.0.0.1').setNoDelay().setEncoding('latin1');
    const ask = () => {
      const call = next();
      if (call === undefined) return socket.end();
      return socket.write(`${call} HTTP/1.1\r\nHost: bench\r\nContent-Length: 0\r\n\r\n`);
    };
    socket.on('connect', ask);
    // Answers are short, and none is asked for before the one before has come.
    socket.on('data', (text) => (text.startsWith('HTTP/1.1 200') ? ask() : socket.destroy(new Error(text))));
    // Rejects with what was wrong.
    await once(socket, 'close');
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, talk));
}

/** Checks in a second, of the services `bench-0` and so on. */
export async function checks(port, seconds, services) {
  const end = performance.now() + seconds * 1_000;
  let count = 0;
  await overHttp2(port, services, CALLS_UNDER_WAY, async (check) => {
    while (performance.now() < end) await check(count++);
  });
  return count / seconds;
}

/** One Check after the other until `done`. Answers how long the slowest took, and how many there were. */
export async function slowestCheck(port, done, services) {
  let isDone = false;
  done.finally(() => {
    isDone = true;
  });
  let ms = 0;
  let count = 0;
  await overHttp2(port, services, 1, async (check) => {
    while (!isDone) {
      const start = performance.now();
      await check(count++);
      ms = Math.max(ms, performance.now() - start);
    }
  });
  await done;
  return { ms, count };
}

/** Over one connection, by so many callers at once. */
async function overHttp2(port, services, callers, call) {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  await once(session, 'connect');
  const name = (i) => Buffer.from(`bench-${i}`);
  // A message of gRPC: not compressed, its length, and field 1, a text.
  const messages = Array.from({ length: services }, (_, i) =>
    Buffer.concat([Buffer.from([0, 0, 0, 0, name(i).length + 2, 10, name(i).length]), name(i)]),
  );
  const path = '/grpc.health.v1.Health/Check';
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  const check = async (i) => {
    const stream = session.request(headers);
    stream.on('data', () => {});
    let status;
    stream.on('trailers', (trailers) => {
      status = trailers['grpc-status'];
    });
    stream.end(messages[i % services]);
    await once(stream, 'close');
    if (status !== '0') throw new Error(`a Check ended with ${status}`);
  };
  await Promise.all(Array.from({ length: callers }, () => call(check)));
  session.close();
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
