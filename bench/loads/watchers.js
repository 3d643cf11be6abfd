/** Very many callers of Watch, who all ask about one service and note what they are told, and when. */
import { healthRequest } from './grpc-frames.js';
import { Http2Connection } from './http2-connection.js';

export const WATCH = '/grpc.health.v1.Health/Watch';
export const SERVING = 1;
export const NOT_SERVING = 2;
const TOLD_WITHIN_MS = 300_000;
/** Connections that are begun at the same time. */
const AT_ONCE = 50;

export class Watchers {
  #connections = [];
  /** What each was told last, by connection and call. */
  #last = [];
  #count = 0;
  #awaited = { status: SERVING, left: 0, settle: () => {}, fail: () => {}, times: undefined };
  #failure;

  /** Begins all calls, and resolves once each has been told that the service serves. */
  static async open(port, service, { connections, calls }) {
    const watchers = new Watchers();
    watchers.#count = connections * calls;
    const told = watchers.told(SERVING);
    const message = healthRequest(service);
    try {
      for (let i = 0; i < connections; i += AT_ONCE)
        await Promise.all(
          Array.from({ length: Math.min(AT_ONCE, connections - i) }, () => watchers.#begin(port, message, calls)),
        );
      await told;
    } catch (error) {
      // Whoever waits for them is told by this one.
      told.catch(() => {});
      watchers.close();
      throw error;
    }
    return watchers;
  }

  async #begin(port, message, calls) {
    const connection = await Http2Connection.open(port);
    this.#connections.push(connection);
    const last = new Uint8Array(calls);
    this.#last.push(last);
    connection.onMessage = (stream, [, status]) => this.#heard(last, (stream - 1) >> 1, status);
    connection.onEnd = (_, error) => this.#fail(error ?? new Error('a Watch has ended'));
    connection.onFailure = (error) => this.#fail(error);
    for (let i = 0; i < calls; i++) connection.call(WATCH, message);
  }

  #heard(last, index, status) {
    if (last[index] === status) return;
    last[index] = status;
    const awaited = this.#awaited;
    if (status !== awaited.status) return;
    awaited.times?.push(performance.now());
    if (--awaited.left === 0) awaited.settle(performance.now());
  }

  #fail(error) {
    this.#failure = error;
    this.#awaited.fail(error);
  }

  /** Resolves with the time at which the last of them was told this. When each was told goes into `times`, if there is such a list. */
  told(status, times) {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      const left = this.#count - this.#toldAlready(status);
      if (left === 0) return resolve(performance.now());
      const late = setTimeout(
        () => reject(new Error(`${this.#awaited.left} of ${this.#count} watchers were not told`)),
        TOLD_WITHIN_MS,
      );
      const over = (settle) => (value) => {
        clearTimeout(late);
        settle(value);
      };
      this.#awaited = { status, left, settle: over(resolve), fail: over(reject), times };
    });
  }

  #toldAlready(status) {
    return this.#last.reduce((sum, last) => sum + last.reduce((count, told) => count + (told === status ? 1 : 0), 0), 0);
  }

  close() {
    for (const connection of this.#connections) connection.close();
    this.#connections = [];
  }
}
