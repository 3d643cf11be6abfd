/** Calls of HTTP/1.1 from this process, for what is to be there before anything is measured, or is to come at its own pace. */
import { once } from 'node:events';
import { connect } from 'node:net';

const CONNECTIONS = 16;
/** On a connection, before it waits for answers. */
const AHEAD = 8;
const PACE_MS = 5;
/** Beyond that nothing more is asked: a server that does not keep up is to be slow, and not to drown. */
const MOST_BEHIND_S = 0.25;

/** Makes the calls of these numbers. */
export async function makeAll(port, count, call) {
  let i = 0;
  const talk = async () => {
    const line = await Line.open(port);
    const ask = () => {
      for (; i < count && line.waiting < AHEAD; i++) line.ask(call(i));
      if (line.waiting === 0) line.end();
    };
    line.onAnswer = ask;
    ask();
    await line.ended;
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, talk));
}

/**
 * Makes so many calls a second, evenly, however quick the answers come, until it is stopped. Who does not keep up is spared the rest.
 * Answers how to stop it, which answers how many were answered a second.
 */
export async function makeSteadily(port, perSecond, call) {
  const lines = await Promise.all(Array.from({ length: CONNECTIONS }, () => Line.open(port)));
  let failure;
  for (const line of lines)
    line.ended.catch((error) => {
      failure ??= error;
    });
  const waiting = () => lines.reduce((sum, line) => sum + line.waiting, 0);
  const began = performance.now();
  let due = 0;
  let made = 0;
  const timer = setInterval(() => {
    const dueBefore = due;
    due = Math.floor(((performance.now() - began) / 1_000) * perSecond);
    if (waiting() > perSecond * MOST_BEHIND_S || failure !== undefined) return;
    for (let i = dueBefore; i < due; i++) lines[made % lines.length].ask(call(made++));
  }, PACE_MS);
  return async () => {
    clearInterval(timer);
    if (failure !== undefined) throw failure;
    const answered = made - waiting();
    for (const line of lines) line.end();
    return { perSecond: (answered / (performance.now() - began)) * 1_000 };
  };
}

/** A connection over which calls go one after the other, not waiting for each other. */
class Line {
  #socket;
  #rest = '';
  waiting = 0;
  onAnswer = () => {};
  /** Rejects with what was wrong. */
  ended;

  constructor(socket) {
    this.#socket = socket;
    this.ended = once(socket, 'close');
    socket.setNoDelay().setEncoding('latin1');
    socket.on('data', (text) => this.#read(text));
  }

  static async open(port) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Line(socket);
  }

  ask(call) {
    this.waiting++;
    this.#socket.write(`${call} HTTP/1.1\r\nHost: bench\r\nContent-Length: 0\r\n\r\n`);
  }

  /** Answers that are still to come do not matter. */
  end() {
    this.#socket.destroy();
  }

  #read(text) {
    let rest = this.#rest + text;
    for (;;) {
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) break;
      const [, length = '0'] = /^content-length: (\d+)/im.exec(rest.slice(0, end)) ?? [];
      if (rest.length < end + 4 + Number(length)) break;
      if (!rest.startsWith('HTTP/1.1 200')) return this.#socket.destroy(new Error(rest.slice(0, 300)));
      rest = rest.slice(end + 4 + Number(length));
      this.waiting--;
      this.onAnswer();
    }
    this.#rest = rest;
  }
}
