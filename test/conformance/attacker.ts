import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { framesIn, hello, inWords, settingsAck } from '../support/http2-frames.ts';
import { portOf } from './program.ts';

/** A bare connection that means harm. For `using`. */
export class Attacker implements Disposable {
  readonly socket: Socket;
  isClosed = false;
  readonly #closed: Promise<void>;
  /** The beginning of what has been heard, as much as is worth looking at. */
  #heard: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    // What becomes of it is the test's own matter.
    socket.on('error', () => {});
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.isClosed = true;
        resolve();
      });
    });
  }

  /** `reads`: whether it takes what it is told. `from`: by which address of this machine. */
  static async dial(address: string, reads = true, from = '127.0.0.1'): Promise<Attacker> {
    const socket = connect({ port: Number(portOf(address)), host: '127.0.0.1', localAddress: from });
    const attacker = new Attacker(socket);
    await once(socket, 'connect');
    socket.setNoDelay(true);
    if (reads) socket.on('data', (chunk: Buffer) => attacker.#hear(chunk));
    return attacker;
  }

  /** One that reads, from this address of the machine, with what every peer of HTTP/2 says first. */
  static async greetFrom(from: string, address: string): Promise<Attacker> {
    const attacker = await Attacker.dial(address, true, from);
    attacker.socket.write(Buffer.concat([hello(), settingsAck]));
    return attacker;
  }

  /** The same, from nowhere in particular. */
  static async greet(address: string, reads = true, ...settings: readonly Setting[]): Promise<Attacker> {
    const attacker = await Attacker.dial(address, reads);
    attacker.socket.write(Buffer.concat([hello(...settings), settingsAck]));
    return attacker;
  }

  /** Says so many pieces, or as many as it can before it is ended. A peer that reads no more is not waited for. */
  async flood(piece: (i: number) => Buffer, most: number): Promise<void> {
    for (let i = 0; i < most && !this.isClosed; ) {
      const pieces: Buffer[] = [];
      for (let bytes = 0; bytes < BURST_BYTES && i < most; i++) {
        const next = piece(i);
        pieces.push(next);
        bytes += next.length;
      }
      const isTaken = this.socket.write(Buffer.concat(pieces));
      if (isTaken) await new Promise((resolve) => setImmediate(resolve));
      else await Promise.race([once(this.socket, 'drain').catch(() => {}), this.#closed, stalled()]);
      if (this.socket.writableLength > MOST_UNSENT) return;
    }
  }

  #hear(chunk: Buffer): void {
    if (this.#heard.length < MOST_HEARD) this.#heard = Buffer.concat([this.#heard, chunk]);
  }

  get text(): string {
    return this.#heard.toString('latin1');
  }

  /** What it was told, frame by frame. */
  get words(): string[] {
    return framesIn(this.#heard).map(inWords);
  }

  ended(): Promise<void> {
    return this.#closed;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

export type Setting = readonly [id: number, value: number];

const MOST_HEARD = 1 << 20;
const BURST_BYTES = 64 << 10;
const MOST_UNSENT = 1 << 20;

/** For as long as a peer that means to read on may pause. */
function stalled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 300));
}

/** Asks over a connection of its own, which ends with the answer. Parameters are a form: they may be long. */
export async function ask(
  address: string,
  method: string,
  path: string,
  form: Readonly<Record<string, string | number>> = {},
): Promise<{ readonly status: number; readonly body: string }> {
  const fields = Object.entries(form).map(([name, value]): [string, string] => [name, String(value)]);
  const body = new URLSearchParams(fields).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) };
  const asking = request({ host: '127.0.0.1', port: portOf(address), method, path, headers, agent: false });
  asking.end(body);
  const [answer] = await once(asking, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return { status: answer.statusCode, body: Buffer.concat(chunks).toString() };
}
