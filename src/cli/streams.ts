import { oneLine } from './client/failures.ts';

/** What becomes of a command whose output nobody takes: not even an error that cannot be told may change how it ends. */

/** For the whole of the process, before anything is written. */
export function guardStreams(): void {
  process.stderr.on('error', () => {});
  process.stdout.on('error', endUnwritable);
}

/** Of a command that does something else when its output is taken no more. */
export function onUnwritable(act: (error: Error) => void): void {
  process.stdout.off('error', endUnwritable).on('error', act);
}

/** Of a command that only tells, for ever: it has nothing to do any more when nobody reads on. */
export function endWhenUnread(): void {
  process.stdout.on('error', (error) => {
    if (isClosed(error)) process.exit();
  });
}

/** Whoever reads has read enough, as `| head` does. */
export function isClosed(error: Error): boolean {
  return 'code' in error && error.code === 'EPIPE';
}

/** One that nobody reads on ends as it would have; one that is not written, as a full disk takes nothing, has failed. */
function endUnwritable(error: Error): void {
  if (isClosed(error)) return;
  process.stderr.write(`beatbridge: standard output cannot be written: ${oneLine(error.message)}\n`);
  process.exit(1);
}
