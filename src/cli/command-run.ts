import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';

/** A command that is run beside, with this terminal, and how it ends. */
export class CommandRun {
  readonly #child: ChildProcess;
  /** Its exit code, as a shell has it: 127 for one that is not there, 128 and more where a signal ended it. */
  readonly ended: Promise<number>;

  constructor([program = '', ...args]: readonly string[]) {
    this.#child = spawn(program, args, { stdio: 'inherit' });
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        const isThere = !('code' in error && error.code === 'ENOENT');
        process.stderr.write(`beatbridge: ${JSON.stringify(program.slice(0, 200))} cannot be run: ${error.message}\n`);
        resolve(isThere ? 126 : 127);
      });
      this.#child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  }

  /** Tells it of a signal. What is typed at a terminal, it has heard itself. */
  pass(signal: NodeJS.Signals): void {
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    this.#child.kill(signal);
  }
}
