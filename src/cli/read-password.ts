import { createInterface } from 'node:readline';
import { type Readable, Writable } from 'node:stream';
import { OptionsError } from '../options.ts';

/** Where a password comes from: never from arguments or the environment, which others on the machine can read. */
export interface PasswordSource {
  readonly input: Readable & { readonly isTTY?: boolean };
  /** To whoever sits at the terminal; ends no line by itself. */
  readonly say: (text: string) => void;
  /** Does what Ctrl-C does where nothing is asked. */
  readonly interrupt: () => void;
}

/**
 * One line: all that is piped in, but for the end of its line; or what is typed twice alike, of which a terminal shows nothing. Not a
 * blank is cut. Rejects with `OptionsError`.
 */
export async function readPassword(source: PasswordSource): Promise<string> {
  const password = source.input.isTTY === true ? await typed(source) : await piped(source.input);
  // Some of them nobody could ever type again, and others end the line that some client sends it in.
  if (/\p{Cc}/u.test(password)) throw new OptionsError(['a password must be one line without control characters']);
  return password;
}

async function piped(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    // Without an encoding a stream gives nothing else.
    chunks.push(chunk as Buffer);
    bytes += chunks.at(-1)?.length ?? 0;
    if (bytes > MOST_BYTES) throw new OptionsError([`a password must be one line, got more than ${MOST_BYTES} bytes`]);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)).replace(/\r?\n$/, '');
  } catch {
    throw new OptionsError(['a password must be in UTF-8']);
  }
}

/** Far beyond any password: what is meant is said in a better way then. */
const MOST_BYTES = 65_536;

async function typed({ input, say, interrupt }: PasswordSource): Promise<string> {
  const echo = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input, output: echo, terminal: true, historySize: 0 });
  terminal.on('SIGINT', () => {
    terminal.close();
    interrupt();
  });
  try {
    const lines = terminal[Symbol.asyncIterator]();
    const asked = async (prompt: string): Promise<string> => {
      say(prompt);
      const { value, done } = await lines.next();
      say('\n');
      if (done === true) throw new OptionsError(['no password was given']);
      return value;
    };
    const password = await asked('password: ');
    if ((await asked('once more: ')) !== password) throw new OptionsError(['these two were not the same']);
    return password;
  } finally {
    terminal.close();
  }
}
