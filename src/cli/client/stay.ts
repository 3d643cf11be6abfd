import { MessageChannel } from 'node:worker_threads';
import { systemScheduler } from '../../wire/scheduler.ts';

/** Keeps the process while something waits: none of our timers does, and a signal that is listened for does not either. For `using`. */
export function stay(): Disposable {
  const { port1 } = new MessageChannel();
  port1.ref();
  return { [Symbol.dispose]: () => port1.close() };
}

/** Resolves in `ms` milliseconds, or when the signal is aborted. The process stays meanwhile. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  using _ = stay();
  await new Promise<void>((resolve) => {
    const end = () => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = systemScheduler.after(ms, end);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });
}
