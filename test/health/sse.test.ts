import { get } from 'node:http';
import { connect } from 'node:http2';
import type { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { streamStatuses } from '../../src/health/sse.ts';
import { Watches } from '../../src/health/watch.ts';
import { Registry } from '../../src/registry/registry.ts';
import type { Serve } from '../../src/wire/exchange.ts';
import { listen } from '../../src/wire/listener.ts';
import { OpenAnswers } from '../../src/wire/open-answers.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { healthOf } from '../support/health.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { LIMITS } from '../support/limits.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

/** A reader of the stream, and how to end both. */
type Reader = { readonly stream: Readable; readonly end: () => void };

function overHttp1(url: string): Promise<Reader> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (stream) => resolve({ stream, end: () => stream.destroy() }));
  });
}

async function overHttp2(url: string): Promise<Reader> {
  const session = connect(url);
  return { stream: session.request({ ':path': '/' }), end: () => session.destroy() };
}

it.each([
  ['HTTP/1.1', overHttp1],
  ['HTTP/2', overHttp2],
])('a stream of statuses over %s says a comment each time that it has been quiet for long', async (_, read) => {
  const health = healthOf(new Registry(() => 0));
  const shutdown = new AbortController();
  const scheduler = new ManualScheduler();
  const rooms = { watches: new Watches(health, LIMITS), openAnswers: new OpenAnswers() };
  const options = { ...rooms, scheduler, shutdown: shutdown.signal };
  const request: Serve = (req, res) => streamStatuses(req, res, 'bridge', options);
  const port = await listen('127.0.0.1', 0, { request }, { limits: LIMITS, scheduler: systemScheduler });
  const { stream, end } = await read(`http://${port.address}`);
  const heard: string[] = [];
  for await (const chunk of stream) {
    heard.push(String(chunk));
    if (heard.length === 4) break;
    scheduler.advance(15_000);
  }
  expect(heard).toEqual(['data: {"status":"SERVING"}\n\n', ':\n\n', ':\n\n', ':\n\n']);
  end();
  await expect.poll(() => scheduler.open).toBe(0);
  await port.close(AbortSignal.abort());
});
