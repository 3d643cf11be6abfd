import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { NacosGrpc, type Said } from '../../support/nacos-grpc.ts';
import { type GrpcEvent, type GrpcRecording, type Sent, timeless } from '../../support/recording-2.ts';
import { startServer } from '../../support/server.ts';

/** What real clients said over gRPC (`npm run record`) is said again, to the byte, and has to be answered as it was. */
const FIXTURES = join(import.meta.dirname, '../../fixtures/nacos-2');
const recordings = readdirSync(FIXTURES).map((file): GrpcRecording => JSON.parse(readFileSync(join(FIXTURES, file), 'utf8')));

function nameOf({ origin }: GrpcRecording): string {
  return `${origin.client} ${origin.version}`;
}

interface Replayed {
  /** The events again, with what was answered and heard this time. */
  readonly events: readonly Replay[];
  /** What the server has said over each stream, as it said it. */
  readonly told: readonly (readonly Said[])[];
}

type Replay = GrpcEvent | { readonly on: number; readonly hears: undefined };

/** One of the client's transports. What it calls by the ids of the recording goes out with those of now. */
class Transport implements Disposable {
  readonly #client: NacosGrpc;
  readonly #ids = new Map<string, string>();
  #heard = 0;
  #open = false;

  constructor(address: string) {
    this.#client = new NacosGrpc(address);
    this.#client.answering = false;
  }

  async ask(sent: Sent): Promise<Said> {
    return timeless(await this.#client.ask(sent.type, sent.body, sent));
  }

  async say(sent: Sent): Promise<void> {
    if (!this.#open) this.#client.open();
    this.#open = true;
    const body = sent.body.replace(
      /("requestId":\s*")(\w+)"/,
      (_, start: string, id: string) => `${start}${this.#ids.get(id) ?? id}"`,
    );
    this.#client.say(sent.type, body, sent);
    // Those that get no word of it wait for a moment.
    if (sent.type === 'ConnectionSetupRequest') await this.#client.untilSetUp();
  }

  /** The next message, undefined if there is none in time. */
  async hear(recorded: Said, signal: AbortSignal): Promise<Said | undefined> {
    const said = await this.#client.saidAs(this.#heard++, signal);
    const id = recorded.body.requestId;
    if (said === undefined || typeof id !== 'string' || typeof said.body.requestId !== 'string') return said && timeless(said);
    this.#ids.set(id, said.body.requestId);
    return timeless({ type: said.type, body: { ...said.body, requestId: id } });
  }

  get told(): readonly Said[] {
    return this.#client.heard;
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}

class Transports implements Disposable {
  readonly #address: string;
  readonly #byNumber = new Map<number, Transport>();

  constructor(address: string) {
    this.#address = address;
  }

  the(number: number): Transport {
    const transport = this.#byNumber.get(number) ?? new Transport(this.#address);
    this.#byNumber.set(number, transport);
    return transport;
  }

  all(): readonly Transport[] {
    return [...this.#byNumber.values()];
  }

  [Symbol.dispose](): void {
    for (const transport of this.#byNumber.values()) transport[Symbol.dispose]();
  }
}

async function replay(recording: GrpcRecording): Promise<Replayed> {
  await using server = await startServer({ restartGraceMs: 0 });
  using transports = new Transports(server.listeners.grpc);
  const signal = AbortSignal.timeout(4_000);
  const events: Replay[] = [];
  for (const event of recording.events) {
    if ('ask' in event) {
      events.push({ ...event, answer: await transports.the(event.on).ask(event.ask) });
    } else if ('hears' in event) {
      const hears = await transports.the(event.on).hear(event.hears, signal);
      events.push({ ...event, hears });
      // What comes after it would wait as long.
      if (hears === undefined) break;
    } else {
      if ('says' in event) await transports.the(event.on).say(event.says);
      else await meanwhile(server, event.meanwhile);
      events.push(event);
    }
  }
  return { events, told: transports.all().map(({ told }) => told) };
}

async function meanwhile({ listeners }: { readonly listeners: { readonly main: string } }, call: string): Promise<void> {
  const [method = '', target = ''] = call.split(' ');
  const response = await fetch(`http://${listeners.main}${target}`, { method });
  expect(response.status).toBe(200);
}

it('there is a recording of each client', () => {
  expect(recordings.map(nameOf)).toEqual([
    'Go nacos-sdk-go 2.2.5',
    'Go nacos-sdk-go 2.3.5',
    'Java nacos-client 2.0.4',
    'Java nacos-client 2.3.2',
    'Java nacos-client 2.5.1',
    'Java nacos-client 3.0.3',
    'Java nacos-client 3.2.1-2026.03.30',
    'nacos-sdk-python 2.0.11',
    'nacos-sdk-python 3.2.0',
    'Rust nacos-sdk 0.8.3',
  ]);
});

describe.each(recordings.map((recording) => [nameOf(recording), recording] as const))('%s', (_, recording) => {
  let replayed: Replayed;
  beforeAll(async () => {
    replayed = await replay(recording);
  });

  it('gets the recorded answer to all that it asks', () => {
    expect(replayed.events.filter((event) => 'ask' in event)).toEqual(recording.events.filter((event) => 'ask' in event));
  });

  it('hears what it heard over its streams, and no more', () => {
    expect(replayed.events.filter((event) => 'hears' in event)).toEqual(recording.events.filter((event) => 'hears' in event));
    expect(replayed.told.flat()).toHaveLength(recording.events.filter((event) => 'hears' in event).length);
  });

  it('is asked under an id of its own each time, and is pushed what is newer each time', () => {
    for (const told of replayed.told) {
      const ids = told.flatMap(({ body }) => body.requestId ?? []);
      expect(new Set(ids).size).toBe(ids.length);
      const times: readonly number[] = told.flatMap(({ body }) => body.serviceInfo?.lastRefTime ?? []);
      expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    }
  });
});
