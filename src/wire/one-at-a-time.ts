/**
 * Runs that one after the other: asked for while it runs, it runs once more when it has ended, however often it was asked for. What is
 * answered resolves when nothing is left to do, and rejects when a run does.
 */
export function oneAtATime(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let isAskedAgain = false;
  const runAll = async () => {
    try {
      while (isAskedAgain) {
        isAskedAgain = false;
        await run();
      }
    } finally {
      // In the same step in which nobody asks again: else one who does then would not be heard.
      running = undefined;
    }
  };
  return () => {
    isAskedAgain = true;
    running ??= runAll();
    return running;
  };
}
