import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { run } from '../support/process.ts';

/** Whoever listens there does what he is told with each connection. */
async function listening(onSocket: (socket: Socket) => void): Promise<string> {
  const server: Server = createServer((socket) => onSocket(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : ''}`;
}

describe('a server that is something else', () => {
  it('is not said to speak TLS where none is spoken', async () => {
    const mail = await listening((socket) => void socket.end('220 mail\r\n'));
    expect(await run(['list', '--addr', mail])).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/does not speak HTTP \(does it want --tls\?\): Parse Error: Expected HTTP\/.*\n$/),
    });
  });

  it('that leads elsewhere is told with where', async () => {
    const head = 'HTTP/1.1 308 Permanent Redirect\r\nlocation: https://there.test:8848/\r\ncontent-length: 0\r\n\r\n';
    const elsewhere = await listening((socket) => void socket.end(head));
    expect(await run(['list', '--addr', elsewhere])).toEqual({
      code: 3,
      stdout: '',
      stderr: `beatbridge: ${elsewhere} answers 308, and leads to https://there.test:8848/: ask that one (--addr)\n`,
    });
  });

  it('is told by export and import without what a terminal would obey', async () => {
    const body = Buffer.from('no \u009b31m\u202ehere');
    const head = `HTTP/1.1 403 Forbidden\r\ncontent-length: ${body.length}\r\n\r\n`;
    const other = await listening((socket) => void socket.end(Buffer.concat([Buffer.from(head), body])));
    const { code, stderr } = await run(['export', '--server', `http://${other}`]);
    expect(code).toBe(1);
    expect(stderr).toContain('no \\u009b31m\\u202ehere');
    expect(stderr).toMatch(/^[\n\x20-\x7e]*$/);
  });
});
