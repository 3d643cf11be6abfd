import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answer, answerText } from '../wire/answer.ts';
import { headerOf, type Request, type Response } from '../wire/exchange.ts';

/**
 * The files of the page, as they were built, read when they are asked for the first time. What has a hash in its name is good for ever; the
 * page itself is asked for again each time, and answered with "not modified" where it is the same.
 */
export class Files {
  readonly #folder: string;
  readonly #read = new Map<string, Promise<File | undefined>>();
  #names: Promise<ReadonlySet<string>> | undefined;

  constructor(folder = builtFolder()) {
    this.#folder = folder;
  }

  /** `name`: below the page's own place, "" for the page. */
  async serve(req: Request, res: Response, name: string): Promise<void> {
    const file = await this.#file(name === '' ? PAGE : name);
    if (file === undefined) {
      if (name !== '') answerText(res, 404, 'not found\n');
      else answerText(res, 404, 'the console is not built: npm run build\n');
      return;
    }
    const coding = codingFor(headerOf(req, 'accept-encoding'), file);
    const etag = `"${file.hash}${coding === '' ? '' : `-${coding}`}"`;
    const headers = {
      ...SAFE,
      ETag: etag,
      Vary: 'Accept-Encoding',
      'Cache-Control': name.startsWith(HASHED) ? 'public, max-age=31536000, immutable' : 'no-cache',
    };
    if (matches(headerOf(req, 'if-none-match'), file.hash)) {
      res.statusCode = 304;
      for (const [header, value] of Object.entries(headers)) res.setHeader(header, value);
      res.end();
      return;
    }
    const body = file.bodies.get(coding) ?? Buffer.alloc(0);
    const coded = coding === '' ? headers : { ...headers, 'Content-Encoding': coding };
    // Of HEAD the length of what GET would answer.
    answer(res, 200, file.type, req.method === 'HEAD' ? '' : body, coded, body.length);
  }

  /** Undefined: there is none of that name. What cannot be read now can be later. */
  #file(name: string): Promise<File | undefined> {
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    const read = this.#readFile(name);
    this.#read.set(name, read);
    const forget = () => void this.#read.delete(name);
    read.then((file) => file ?? forget(), forget);
    return read;
  }

  async #readFile(name: string): Promise<File | undefined> {
    const names = await this.#list();
    const type = TYPES.get(/\.\w+$/.exec(name)?.[0] ?? '');
    // Only what is there by that very name: nothing of a path is ever made of what was asked for.
    if (!names.has(name) || type === undefined) return undefined;
    const bodies = new Map<string, Buffer>();
    for (const [coding, ending] of CODINGS)
      if (names.has(name + ending)) bodies.set(coding, await readFile(join(this.#folder, name + ending)));
    const hash = createHash('sha256')
      .update(bodies.get('') ?? '')
      .digest('base64url')
      .slice(0, 22);
    return { type, bodies, hash };
  }

  #list(): Promise<ReadonlySet<string>> {
    this.#names ??= readdir(this.#folder, { recursive: true }).then(
      (names) => new Set(names.map((name) => name.replaceAll('\\', '/'))),
      () => {
        this.#names = undefined;
        return new Set<string>();
      },
    );
    return this.#names;
  }
}

interface File {
  readonly type: string;
  /** By the coding, "" for none. */
  readonly bodies: ReadonlyMap<string, Buffer>;
  readonly hash: string;
}

const PAGE = 'index.html';
const HASHED = 'assets/';

/** The smallest first. */
const CODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
  ['', ''],
] as const;

const TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html;charset=UTF-8'],
  ['.js', 'text/javascript;charset=UTF-8'],
  ['.css', 'text/css;charset=UTF-8'],
  ['.svg', 'image/svg+xml'],
]);

/** What a page of ours may do in a browser: nothing but talk to where it came from, and it can be framed by nobody. */
const SAFE: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
};

function codingFor(accepted: string, { bodies }: File): string {
  const taken = new Set(
    accepted
      .toLowerCase()
      .split(',')
      .map((one) => one.trim())
      .filter((one) => !/;\s*q=0(\.0*)?$/.test(one))
      .map((one) => one.replace(/\s*;.*$/, '')),
  );
  return CODINGS.find(([coding]) => bodies.has(coding) && (coding === '' || taken.has(coding) || taken.has('*')))?.[0] ?? '';
}

/** Whatever coding it was in: it is the same file. */
function matches(ifNoneMatch: string, hash: string): boolean {
  return ifNoneMatch.split(',').some((one) => one.trim() === '*' || one.includes(hash));
}

/** Beside what this file was compiled to; or, where it runs from its source, where the compiler puts that. */
function builtFolder(): string {
  const beside = join(import.meta.dirname, 'page');
  return existsSync(beside) ? beside : join(import.meta.dirname, '../../dist/console/page');
}
