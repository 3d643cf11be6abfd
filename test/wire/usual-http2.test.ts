import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { answer, answerText, written } from '../../src/wire/answer.ts';
import { hasLeft, hasNoBody, localAddressOf, peerOf, type Request, type Serve } from '../../src/wire/exchange.ts';
import { Http2Answers } from '../../src/wire/http2-answers.ts';
import { listen, type OpenPort } from '../../src/wire/listener.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { CODE, data, FLAG, headers, hello, request, resetFrame } from '../support/http2-frames.ts';
import { noted } from '../support/lanes.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { LIMITS } from '../support/limits.ts';
import { dial } from '../support/raw.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

/** What goes the usual way over HTTP/2: a request and a response that are like those of HTTP/1. */

let port: OpenPort;
let session: ClientHttp2Session;

afterEach(async () => {
  session.destroy();
  await port.close(AbortSignal.abort());
});

async function serving(request: Serve, { wallClock, ...limits }: Options = {}): Promise<void> {
  const options = { limits: { ...LIMITS, ...limits }, scheduler: systemScheduler, ...(wallClock && { wallClock }) };
  port = await listen('127.0.0.1', 0, { request }, options);
  session = connect(`http://${port.address}`);
  session.on('error', () => {});
  await once(session, 'remoteSettings');
}

type Options = { readonly wallClock?: () => number } & Partial<typeof LIMITS>;

/** Everything that comes back, once the stream has been closed. */
async function asked(headers: OutgoingHttpHeaders = {}, body?: string) {
  const stream = session.request(headers, { endStream: body === undefined });
  const seen = noted(stream);
  if (body !== undefined) stream.end(body);
  if (!stream.closed) await once(stream, 'close').catch(() => {});
  return seen;
}

const ENDED = [['end'], ['close', constants.NGHTTP2_NO_ERROR]];

describe('a request', () => {
  async function seenBy<T>(look: (req: Request) => T, headers: OutgoingHttpHeaders, body?: string): Promise<T> {
    const looks: T[] = [];
    await serving((req, res) => {
      looks.push(look(req));
      req.resume();
      res.end();
    });
    await asked(headers, body);
    expect(looks).toHaveLength(1);
    return looks[0] as T;
  }

  it('has the fields of its header by name, those of the protocol apart', async () => {
    const look = ({ method, url, headers }: Request) => [method, url, { ...headers }];
    const headers = {
      ':method': 'PUT',
      ':path': '/a?b',
      ':authority': 'outbound|80||orders',
      'x-a': ['1', '2'],
      cookie: 'c=1; d=2',
    };
    expect(await seenBy(look, headers)).toEqual([
      'PUT',
      '/a?b',
      { host: 'outbound|80||orders', 'x-a': '1, 2', cookie: 'c=1; d=2' },
    ]);
  });

  it('is for its authority, whatever host stands beside it', async () => {
    const look = (req: Request) => [req.headers.host, req.rawHeaders.filter((_, i, all) => all[i - 1] === 'host')];
    expect(await seenBy(look, { ':authority': 'a', host: 'b' })).toEqual(['a', ['b']]);
  });

  it('with a field twice that can be said once only says the first', async () => {
    let seen: unknown[] = [];
    await serving((req, res) => {
      seen = [req.headers['content-type'], req.headers.accept];
      res.end();
    });
    const fields = ['a', 'b'].flatMap((value) => [['content-type', value] as const, ['accept', value] as const]);
    const socket = await dial(port.address);
    socket.write(Buffer.concat([hello(), headers(1, [...request('GET', '/'), ...fields])]));
    await expect.poll(() => seen).toEqual(['a', 'a, b']);
    socket.destroy();
  });

  it('comes from a peer, who is the same for all requests of a connection', async () => {
    const peers: ReturnType<typeof peerOf>[] = [];
    await serving((req, res) => {
      peers.push(peerOf(req));
      expect(localAddressOf(req)).toBe(port.address);
      res.end();
    });
    await Promise.all([asked(), asked()]);
    const [one, other] = peers;
    expect(one).toBe(other);
    expect([one?.ip, one?.port]).toEqual(['127.0.0.1', session.socket.localPort]);
    one?.cut();
    if (!session.closed) await once(session, 'close');
  });

  it('says whether a body follows', async () => {
    expect(await seenBy(hasNoBody, {})).toBe(true);
    session.destroy();
    await port.close(AbortSignal.abort());
    expect(await seenBy(hasNoBody, { ':method': 'POST' }, 'body')).toBe(false);
  });

  it('has a body of any length, in its order', async () => {
    await serving(async (req, res) => {
      const body: Buffer[] = [];
      for await (const chunk of req) body.push(chunk as Buffer);
      answerText(res, 200, Buffer.concat(body).toString());
    });
    const long = Array.from({ length: 50_000 }, (_, i) => `${i}`).join(' ');
    const seen = await asked({ ':method': 'POST' }, long);
    expect(seen.find(([what]) => what === 'data')?.[1]).toBe(long);
  });

  it('that is broken off closes and does not end, and its caller has left', async () => {
    const heard: unknown[] = [];
    let seen = () => {};
    const isSeen = new Promise<void>((resolve) => {
      seen = resolve;
    });
    await serving((req, res) => {
      for (const event of ['end', 'close', 'error'] as const) req.on(event, () => heard.push(event));
      req.once('data', seen);
      res.on('close', () => heard.push(['response', hasLeft(req), res.destroyed]));
    });
    // Node's client would end its stream before it resets it.
    const socket = await dial(port.address);
    socket.write(Buffer.concat([hello(), headers(1, request('POST', '/'), FLAG.endHeaders), data(1, 'some', 0)]));
    await isSeen;
    socket.write(resetFrame(1, CODE.cancel));
    await expect.poll(() => heard.length).toBe(2);
    expect(heard).toEqual([['response', true, true], 'close']);
    socket.destroy();
  });

  it('that nobody reads ends with its answer', async () => {
    await serving((_, res) => answerText(res, 413, 'too large'));
    const stream = session.request({ ':method': 'POST' });
    const seen = noted(stream);
    stream.write('x'.repeat(1_000));
    await once(stream, 'close');
    expect(seen.slice(1)).toEqual([['data', 'too large'], ...ENDED]);
  });
});

describe('a response', () => {
  it('has its fields in the order in which they were set, in lower case', async () => {
    await serving((_, res) => answer(res, 201, 'text/plain', 'body', { 'X-B': ' b ', 'X-A': 'ü' }));
    expect(await asked()).toEqual([
      ['response', [':status', '201', 'content-type', 'text/plain', 'x-b', 'b', 'x-a', 'ü', 'content-length', '4']],
      ['data', 'body'],
      ...ENDED,
    ]);
  });

  it.each<[string, string, number, boolean]>([
    ['to HEAD', 'HEAD', 200, true],
    ['of 204', 'GET', 204, false],
    ['of 304', 'GET', 304, true],
  ])('%s is a header and no more', async (_, method, status, saysLength) => {
    await serving((_, res) => answer(res, status, 'text/plain', 'body'));
    const seen = await asked({ ':method': method });
    expect(seen.map(([what]) => what)).toEqual(['response', 'end', 'close']);
    expect(JSON.stringify(seen[0]).includes('content-length')).toBe(saysLength);
  });

  it('may have trailers, with a body and without', async () => {
    let withBody = true;
    await serving((_, res) => {
      res.addTrailers({ 'grpc-status': '0' });
      if (withBody) res.write('body');
      res.end();
    });
    const trailers = ['trailers', ['grpc-status', '0']];
    expect((await asked()).slice(1)).toEqual([['data', 'body'], trailers, ...ENDED]);
    withBody = false;
    expect((await asked()).slice(1)).toEqual([trailers, ...ENDED]);
  });

  it('takes nothing that no header may contain', async () => {
    const errors: unknown[] = [];
    await serving((_, res) => {
      for (const value of ['a\r\nb', 'a\0', '健康']) {
        try {
          res.setHeader('x', value);
        } catch (error) {
          errors.push(error);
        }
      }
      res.end();
    });
    await asked();
    expect(errors).toEqual([expect.any(TypeError), expect.any(TypeError), expect.any(TypeError)]);
  });

  it('is written as fast as its reader reads, and tells when it has left', async () => {
    const size = 10_000;
    let count = 0;
    let left = () => {};
    const gone = new Promise<void>((resolve) => {
      left = resolve;
    });
    await serving(async (_, res) => {
      try {
        for (; count < 10_000; count++) await written(res, Buffer.alloc(size, 'x'));
      } catch {
        left();
      }
    });
    const stream = session.request();
    stream.on('error', () => {});
    await once(stream, 'response');
    await once(stream, 'readable');
    // All that fits into windows and buffers, far from all.
    await expect.poll(() => count).toBeGreaterThan(0);
    expect(count).toBeLessThan(100);
    stream.close(constants.NGHTTP2_CANCEL);
    await gone;
  });

  it('that is broken off does not look whole', async () => {
    await serving((_, res) => {
      res.write('half');
      res.destroy();
    });
    const seen = await asked();
    expect(seen.at(-1)).toEqual(['close', constants.NGHTTP2_INTERNAL_ERROR]);
  });

  it('says the date, which nobody else has said, where there is a clock', async () => {
    const request: Serve = (req, res) => {
      if (req.url === '/own') res.setHeader('Date', 'Sun, 06 Nov 1994 08:49:37 GMT');
      res.end();
    };
    await serving(request, { wallClock: () => Date.UTC(2026, 10, 26, 6, 30) });
    const dateIn = async (path: string) => {
      const stream = session.request({ ':path': path });
      const [headers] = (await once(stream.resume(), 'response')) as [IncomingHttpHeaders];
      return headers.date;
    };
    expect(await dateIn('/')).toBe('Thu, 26 Nov 2026 06:30:00 GMT');
    expect(await dateIn('/own')).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
  });
});

it('what a request does counts as a stream until it is over, also when it has been reset', async () => {
  const going: (() => void)[] = [];
  await serving(() => new Promise<void>((resolve) => void going.push(resolve)), { maxStreamsPerConnection: 2 });
  const sent = () => {
    const stream = session.request({ ':method': 'POST' }, { endStream: false });
    stream.on('error', () => {});
    return stream;
  };
  for (let i = 0; i < 2; i++) {
    const stream = sent();
    await new Promise((resolve) => session.ping(resolve));
    stream.close(constants.NGHTTP2_CANCEL);
    await once(stream, 'close');
  }
  const refused = sent();
  await once(refused, 'close').catch(() => {});
  expect([going.length, refused.rstCode]).toEqual([2, constants.NGHTTP2_REFUSED_STREAM]);
  for (const end of going) end();
  sent();
  await expect.poll(() => going.length).toBe(3);
  going[2]?.();
});

describe('what is sent again and again', () => {
  const head = { ':status': 200 };

  it('is made once a second, as it says the date', () => {
    const clock = new ManualScheduler(Date.UTC(2026, 10, 26) + 300);
    const answers = new Http2Answers({ scheduler: clock, wallClock: clock.now });
    const answer = { head, body: Buffer.from('x'), trailers: undefined };
    const [first, opening] = [answers.of(answer), answers.opening(head)];
    clock.advance(699);
    expect([answers.of(answer), answers.opening(head), answers.date]).toEqual([first, opening, 'Thu, 26 Nov 2026 00:00:00 GMT']);
    clock.advance(1);
    expect(answers.of(answer)).not.toBe(first);
    expect(answers.opening(head)).not.toBe(opening);
    expect(answers.date).toBe('Thu, 26 Nov 2026 00:00:01 GMT');
    answers.close();
  });

  it('is made once where there is no clock, and pieces always', () => {
    const clock = new ManualScheduler();
    const answers = new Http2Answers({ scheduler: clock });
    const [answer, frame, trailers] = [{ head, body: undefined, trailers: undefined }, Buffer.from('x'), { 'grpc-status': '0' }];
    expect(answers.of(answer)).toBe(answers.of(answer));
    expect(answers.frame(frame)).toBe(answers.frame(frame));
    expect(answers.ending(trailers)).toBe(answers.ending(trailers));
    expect(clock.open).toBe(0);
  });
});
