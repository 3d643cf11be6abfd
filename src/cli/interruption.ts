/** What a command must not leave behind when a signal ends it. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs `clean`, which has to be done when it returns, if a signal ends the process, as it ends it then. For `using`. */
export function onInterruption(clean: () => void): Disposable {
  const stop = () => {
    for (const signal of SIGNALS) process.removeListener(signal, end);
  };
  const end = (signal: NodeJS.Signals, number: number) => {
    stop();
    try {
      clean();
    } finally {
      // The kernel spares the first process of a container every signal that it does not handle itself.
      if (process.pid === 1) process.exit(128 + number);
      process.kill(process.pid, signal);
    }
  };
  for (const signal of SIGNALS) process.on(signal, end);
  return { [Symbol.dispose]: stop };
}
