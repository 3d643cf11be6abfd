import { createSocket } from 'node:dgram';
import { on, once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bytesOf, dial, headerOf, messages } from '../support/raw.ts';
import { type Answer, acknowledging, answerOf, type PushView, pushOf, type Recording, refOf } from '../support/recording.ts';
import { nacos, startServer } from '../support/server.ts';

/** What real clients sent (`npm run record`) is sent again, to the byte, and has to be answered as it was. */
const FIXTURES = join(import.meta.dirname, '../fixtures/nacos-1');
const recordings = readdirSync(FIXTURES).map((file): Recording => JSON.parse(readFileSync(join(FIXTURES, file), 'utf8')));

function nameOf({ origin }: Recording): string {
  return `${origin.client} ${origin.version}`;
}

interface Replayed {
  /** By request, in their order. */
  readonly answers: readonly { readonly request: string; readonly answer: Answer | undefined }[];
  readonly pushes: readonly (PushView | undefined)[];
  /** The server's own count of its pushes, when all had been acknowledged or after a while. */
  readonly pushState: PushState;
}

interface PushState {
  readonly total: number;
  readonly succeed: number;
  readonly failed: number;
  readonly waiting: number;
}

async function replay({ events }: Recording): Promise<Replayed> {
  await using server = await startServer();
  await using consumer = createSocket('udp4').bind(0, '127.0.0.1');
  await once(consumer, 'listening');
  const datagrams = on(consumer, 'message', { signal: AbortSignal.timeout(4_000) });
  let socket = await dial(server.listeners.main);
  let replies = messages(socket);
  const answers: Replayed['answers'][number][] = [];
  const pushes: (PushView | undefined)[] = [];

  for (const event of events) {
    if ('request' in event) {
      const [line = '', ...headers] = event.request;
      const head = [line.replace('udpPort=55555', `udpPort=${consumer.address().port}`), ...headers];
      socket.write(bytesOf({ head, body: Buffer.from(event.body) }));
      const { value: reply } = await replies.next();
      answers.push({ request: line, answer: reply && answerOf(reply) });
      // As the clients do: one connection for as long as it lasts.
      if (reply === undefined || headerOf(reply.head, 'connection') === 'close') {
        socket.destroy();
        socket = await dial(server.listeners.main);
        replies = messages(socket);
      }
    } else if ('meanwhile' in event) {
      const [method = '', target = ''] = event.meanwhile.split(' ');
      const response = await fetch(`http://${server.listeners.main}${target}`, { method });
      expect(response.status).toBe(200);
    } else {
      const [datagram, from] = await datagrams.next().then(
        ({ value }) => value ?? [],
        () => [],
      );
      pushes.push(datagram && pushOf(datagram));
      if (datagram) consumer.send(acknowledging(refOf(datagram), event.acknowledgement), from.port, from.address);
    }
  }
  socket.destroy();

  const readState = async (): Promise<PushState> =>
    JSON.parse(await (await nacos(server, 'GET', '/operator/push/state', {})).text());
  let pushState = await readState();
  for (let tries = 0; pushState.waiting > 0 && tries < 1_000; tries++) pushState = await readState();
  return { answers, pushes, pushState };
}

it('there is a recording of each client', () => {
  expect(recordings.map(nameOf)).toEqual([
    'Go nacos-sdk-go 1.1.6',
    'Java nacos-client 1.1.4',
    'Java nacos-client 1.3.2',
    'Java nacos-client 1.4.2',
    'Java nacos-client 1.4.8',
    'npm nacos 2.6.3',
  ]);
});

describe.each(recordings.map((recording) => [nameOf(recording), recording] as const))('%s', (_, recording) => {
  const exchanges = recording.events.filter((event) => 'request' in event);
  const pushes = recording.events.filter((event) => 'push' in event);
  let replayed: Replayed;
  beforeAll(async () => {
    replayed = await replay(recording);
  });

  it('gets the recorded answer to every request', () => {
    expect(replayed.answers).toEqual(exchanges.map(({ request, answer }) => ({ request: request[0], answer })));
  });

  it('gets every recorded push', () => {
    expect(replayed.pushes).toEqual(pushes.map(({ push }) => push));
  });

  it('has acknowledged every push with what it sent, so that none is sent again', () => {
    const all = { total: pushes.length, succeed: pushes.length, failed: 0, waiting: 0 };
    expect(replayed.pushState).toEqual({ ...all, ratio: 1, reset: false });
  });
});
