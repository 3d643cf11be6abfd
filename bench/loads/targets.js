/** A process for checks to look at, at all of 127.0.0.0/8: a port that takes every connection, and one that never answers. */
import { once } from 'node:events';
import { createServer } from 'node:net';

let accepted = 0;
const BACKLOG = 4_096;

async function open() {
  const server = createServer((socket) => {
    accepted++;
    socket.on('error', () => {});
    socket.resume();
  });
  server.listen({ port: 0, host: '0.0.0.0', backlog: BACKLOG });
  await once(server, 'listening');
  return server.address().port;
}

const ports = { answers: await open(), hangs: await open() };
process.on('message', (word) => {
  if (word === 'accepted') process.send(accepted);
});
process.stdout.write(`${JSON.stringify({ ports })}\n`);
