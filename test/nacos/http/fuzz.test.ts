import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../../../src/index.ts';
import { RequestError } from '../../../src/nacos/errors.ts';
import { readClusterSettings } from '../../../src/nacos/http/checkers.ts';
import {
  type Params,
  readBatch,
  readBeat,
  readCount,
  readMetadata,
  readNamed,
  readNamespace,
  readParams,
  readPlace,
  readService,
  readServiceSettings,
} from '../../../src/nacos/http/params.ts';
import { registrationOf, silenceOf } from '../../../src/nacos/rules.ts';
import { Switches } from '../../../src/nacos/switches.ts';
import { NASTY_TEXTS } from '../../support/nasty-texts.ts';
import { randomRuns } from '../../support/random.ts';
import { exchange } from '../../support/raw.ts';
import { answerOf, nacos, register, startServer } from '../../support/server.ts';

// A fixed seed: what fails once fails again, and what passes here passes everywhere.
const SEED = 20_000;
const PARAMS = randomRuns(50_000, SEED);
const REQUESTS = randomRuns(2_500, SEED);

const NAMES = [
  'serviceName',
  'dom',
  'groupName',
  'namespaceId',
  'ip',
  'port',
  'clusterName',
  'cluster',
  'weight',
  'enabled',
  'healthy',
  'ephemeral',
  'metadata',
  'beat',
  'clusters',
  'instances',
  'consistencyType',
  'healthChecker',
  'checkPort',
  'protectThreshold',
  'selector',
  'pageNo',
  'udpPort',
  'entry',
  'value',
  'useInstancePort4Check',
  '',
  '__proto__',
  'constructor',
];

const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NASTY_TEXTS) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 2 }) },
);
const pair = fc
  .tuple(fc.constantFrom(...NAMES), value, fc.boolean())
  .map(([name, text, raw]) => `${name}=${raw ? text : encodeURIComponent(Buffer.from(text).toString())}`);
const text = fc.oneof(
  { weight: 5, arbitrary: fc.array(pair, { maxLength: 6 }).map((pairs) => pairs.join('&')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);

describe('the parsers', () => {
  it(`read or refuse anything, with a bounded text ${PARAMS.title}`, { timeout: PARAMS.timeoutMs }, () => {
    const readers: readonly ((params: Params) => unknown)[] = [
      readService,
      readNamespace,
      readPlace,
      readNamed,
      (params: Params) => registrationOf(readNamed(params)),
      readBeat,
      readBatch,
      readClusterSettings,
      (params: Params) => readServiceSettings(params, true),
      (params: Params) => silenceOf(readMetadata(params) ?? {}),
      (params: Params) => readCount(params, 'pageNo'),
      (params: Params) => new Switches().set(params.get('entry') ?? '', params.get('value') ?? ''),
    ];
    let refused = 0;
    fc.assert(
      fc.property(text, text, fc.constantFrom(...readers), (query, form, read) => {
        const params = readParams(query, form);
        try {
          read(params);
        } catch (error) {
          if (!(error instanceof RequestError)) throw error;
          refused++;
          if (error.message.length > 400) throw new Error(`a text of ${error.message.length} characters`);
        }
      }),
      PARAMS.parameters,
    );
    // The inputs are nasty enough to be worth it.
    expect(refused).toBeGreaterThan(PARAMS.parameters.numRuns / 2);
  });
});

/** A request that is broken in one way, and what has to come of it. */
interface Broken {
  readonly bytes: string | Buffer;
  readonly status: RegExp;
  readonly shape: 'text' | 'envelope' | 'spring' | 'none';
}

const at = 'serviceName=orders&ip=10.0.0.1&port=80';
const calls = fc.constantFrom(
  ['POST', '/nacos/v1/ns/instance', 'text'],
  ['PUT', '/nacos/v1/ns/instance', 'text'],
  ['PATCH', '/nacos/v1/ns/instance', 'text'],
  ['DELETE', '/nacos/v1/ns/instance', 'text'],
  ['GET', '/nacos/v1/ns/instance', 'text'],
  ['POST', '/nacos/v2/ns/instance', 'envelope'],
  ['PUT', '/nacos/v2/ns/instance', 'envelope'],
  ['DELETE', '/nacos/v2/ns/instance', 'envelope'],
  ['POST', '/nacos/v3/client/ns/instance', 'envelope'],
  ['PUT', '/nacos/v1/ns/health', 'text'],
) as fc.Arbitrary<['POST' | 'PUT' | 'PATCH' | 'DELETE' | 'GET', string, 'text' | 'envelope']>;

const badPlace = fc.constantFrom(
  'ip=10.0.0.1&port=80',
  'serviceName=orders&port=80',
  'serviceName=orders&ip=10.0.0.1',
  'serviceName=@@&ip=a&port=1',
  'serviceName=a@@b@@c&ip=a&port=1',
  'serviceName=orders&ip=a%20b&port=1',
  'serviceName=orders&ip=a&port=65536',
  'serviceName=orders&ip=a&port=-1',
  'serviceName=orders&ip=a&port=1.5',
  'serviceName=orders&ip=a&port=%',
  `${at}&clusterName=a/b`,
  `${at}&namespaceId=a%23b`,
  `serviceName=orders&groupName=%00&ip=a&port=1`,
  `serviceName=${'x'.repeat(600)}&ip=a&port=1`,
);

const badBeat = fc
  .constantFrom('{', '[1]', 'null', '7', '"x"', '{"port":1}', '{"ip":"a"', '{"ip":"a","port":-1}', '{"ip":[],"port":1}')
  .map((json) => encodeURIComponent(json));

const header = fc.constantFrom(
  '',
  'Content-Encoding: gzip\r\n',
  'User-Agent: Nacos-Java-Client:v1.4.2\r\n',
  'Content-Type: x\r\n',
);
const framed = (method: string, path: string, query: string, body: string, headers: string) =>
  `${method} ${path}${query === '' ? '' : `?${query}`} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}` +
  `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

const broken: fc.Arbitrary<Broken> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(calls, badPlace, header, fc.boolean()).map(([[method, path, shape], params, headers, inBody]) => {
      const form = inBody && !headers.startsWith('Content-Type') && method !== 'GET';
      return { bytes: framed(method, path, form ? '' : params, form ? params : '', headers), status: /^400$/, shape };
    }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(badBeat, header).map(([json, headers]) => ({
      bytes: framed('PUT', '/nacos/v1/ns/instance/beat', `serviceName=orders&beat=${json}`, '', headers),
      status: /^400$/,
      shape: 'text' as const,
    })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('GET', 'POST', 'PUT'), fc.stringMatching(/^[a-z]{1,12}(\/[a-z%]{1,8}){0,3}$/))
      .map(([method, path]) => ({
        bytes: framed(method, `/nacos/v1/ns/x${path}`, at, '', ''),
        status: /^501$/,
        shape: 'spring' as const,
      })),
  },
  // What never was HTTP is refused by the parser, or simply dropped when it could still become something.
  {
    weight: 2,
    arbitrary: fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => ({
      bytes: Buffer.concat([Buffer.from(bytes), Buffer.from('\r\n\r\n')]),
      status: /^(4\d\d|)$/,
      shape: 'none' as const,
    })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('Content-Length: x', 'Content-Length: -1', 'Transfer-Encoding: gzip', 'A b: c', ': x'), calls)
      .map(([line, [method, path]]) => ({
        bytes: `${method} ${path}?${at} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${line}\r\n\r\n`,
        status: /^4\d\d$/,
        shape: 'none' as const,
      })),
  },
);

function check(heard: string, { status, shape }: Broken): void {
  const [, got = ''] = /^HTTP\/1\.1 (\d{3}) /.exec(heard) ?? [];
  const at = heard.indexOf('\r\n\r\n');
  const body = at < 0 ? '' : heard.slice(at + 4);
  expect(got).toMatch(status);
  if (shape === 'text') expect(heard).toMatch(/\r\nContent-Type: text\/plain/);
  if (shape === 'envelope') expect(Object.keys(JSON.parse(body))).toEqual(['code', 'message', 'data']);
  if (shape === 'spring') expect(Object.keys(JSON.parse(body))).toEqual(['timestamp', 'status', 'error', 'message', 'path']);
  expect(body.length).toBeLessThan(1_000);
}

describe('over a socket', () => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer();
    await register(server, 'orders', { ephemeral: 'false' });
  });
  afterAll(() => server.close(100));

  it(`malformed requests are refused in the right shape, change nothing and leave the process alive ${REQUESTS.title}`, {
    timeout: REQUESTS.timeoutMs,
  }, async () => {
    const snapshot = async () => [
      await answerOf(nacos(server, 'GET', '/catalog/instances', { serviceName: 'orders', pageNo: 1, pageSize: 100 })),
      await answerOf(nacos(server, 'GET', '/operator/metrics', {})),
    ];
    const before = await snapshot();
    const requests = fc.sample(broken, REQUESTS.parameters);
    // A few at a time, each on a connection of its own.
    await Promise.all(
      Array.from({ length: 8 }, async (_, lane) => {
        for (let i = lane; i < requests.length; i += 8) {
          const request = requests[i] as Broken;
          const heard = await exchange(
            server.listeners.main,
            [request.bytes],
            (text) => text.includes('\r\n\r\n') && /^HTTP\/1\.1 4/.test(text) && request.shape === 'none',
          );
          try {
            check(heard, request);
          } catch (error) {
            throw new Error(`request ${i}: ${JSON.stringify(request.bytes.toString())} -> ${JSON.stringify(heard)}`, {
              cause: error,
            });
          }
        }
      }),
    );
    expect(await snapshot()).toEqual(before);
  });
});
