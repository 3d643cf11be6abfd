import { MessageChannel } from 'node:worker_threads';

/** Keeps the process while something waits: none of our timers does, and a signal that is listened for does not either. For `using`. */
export function stay(): Disposable {
  const { port1 } = new MessageChannel();
  port1.ref();
  return { [Symbol.dispose]: () => port1.close() };
}
