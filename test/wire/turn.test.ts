import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Turn } from '../../src/wire/turn.ts';
import { ManualScheduler } from '../support/scheduler.ts';

describe('the answers of a turn', () => {
  const clients: Socket[] = [];
  let scheduler: ManualScheduler;
  let answers: ServerResponse[];
  let server: ReturnType<typeof createServer>;

  beforeEach(async () => {
    scheduler = new ManualScheduler();
    const turn = new Turn(scheduler);
    answers = [];
    server = createServer((req, res) => {
      answers.push(res);
      res.writeHead(200, ['Content-Length', '2']);
      turn.end(res, 'ok', 'latin1');
      server.emit('answered', req.url);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    server.close();
    await once(server, 'close');
  });

  async function ask(path: string, fields = ''): Promise<Socket> {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('latin1');
    clients.push(client);
    const answered = once(server, 'answered');
    client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`);
    expect(await answered).toEqual([path]);
    return client;
  }

  async function heardBy(client: Socket): Promise<string> {
    let text = '';
    while (!text.endsWith('\r\n\r\nok')) text += String((await once(client, 'data'))[0]);
    return text;
  }

  it('leave together, once what had come has been read', async () => {
    const both = [await ask('/a'), await ask('/b')];
    expect(answers.map((res) => [res.headersSent, res.writableEnded])).toEqual([
      [true, false],
      [true, false],
    ]);
    expect(scheduler.open).toBe(1);
    scheduler.advance(0);
    for (const client of both) expect(await heardBy(client)).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(scheduler.open).toBe(0);
  });

  it('of whom one has left', async () => {
    const [left, stays] = [await ask('/a'), await ask('/b')];
    left.destroy();
    for (const answer of answers.slice(0, 1)) await once(answer, 'close');
    scheduler.advance(0);
    expect(await heardBy(stays)).toContain('200 OK');
  });

  it('do not wait where the connection ends with them', async () => {
    const client = await ask('/a', 'Connection: close\r\n');
    expect(await heardBy(client)).toContain('Connection: close');
    expect(scheduler.open).toBe(0);
  });
});
