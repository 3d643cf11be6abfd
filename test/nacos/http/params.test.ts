import { parse } from 'node:querystring';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestError } from '../../../src/nacos/errors.ts';
import {
  Params,
  readBatch,
  readBeat,
  readCount,
  readFlag,
  readHealthy,
  readNamed,
  readPage,
  readParams,
  readPlace,
  readService,
  readServiceSettings,
  required,
} from '../../../src/nacos/http/params.ts';
import { readClusters, registrationOf } from '../../../src/nacos/rules.ts';
import { NASTY_TEXTS } from '../../support/nasty-texts.ts';
import { randomRuns } from '../../support/random.ts';

/** The text with which the request is refused. */
function refusal(read: () => unknown): string | undefined {
  try {
    read();
  } catch (error) {
    if (error instanceof RequestError) return error.message;
    throw error;
  }
  return undefined;
}

const AT = 'serviceName=orders&ip=10.0.0.1&port=80';

describe('parameters', () => {
  it.each([
    ['stand in the query', 'a=1&b=2', '', { a: '1', b: '2' }],
    ['stand in the form', '', 'a=1&b=2', { a: '1', b: '2' }],
    ['of the query win over the form', 'a=query', 'a=form&b=2', { a: 'query', b: '2' }],
    ['given twice count once, the first time', 'a=1&a=2', '', { a: '1' }],
    ['are decoded, plus signs too', 'a=%E4%B8%AD+b%2B', '', { a: '中 b+' }],
    ['keep text beyond ASCII beside good and bad escapes', '', 'a=Zürich 東京%20100%', { a: 'Zürich 東京 100%' }],
    ['keep a bad escape as it stands', 'a=100%&b=%zz&c=%E4', '', { a: '100%', b: '%zz', c: '�' }],
    ['are cut at the first equals sign', 'a=b=c', '', { a: 'b=c' }],
    ['may end with an ampersand', '', 'a=1&', { a: '1' }],
    ['may be called like a property of every object', '__proto__=1&constructor=2', '', { ['__proto__']: '1', constructor: '2' }],
  ])('%s', (_, query, form, params) => {
    expect(readParams(query, form).entries()).toEqual(Object.entries(params));
  });
});

describe('parameters of any text', () => {
  const RUNS = randomRuns(20_000);
  const piece = fc.oneof(
    fc.constantFrom(
      '&',
      '=',
      '+',
      '%',
      '%2',
      '%20',
      '%E4',
      '%E4%B8%AD',
      '%zz',
      '&&',
      '==',
      'a',
      'ip',
      '__proto__',
      '中',
      '\ud800',
    ),
    fc.constantFrom(...NASTY_TEXTS.map((text) => text.slice(0, 40))),
    fc.string({ unit: 'binary', maxLength: 6 }),
  );
  const source = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''));

  it(`are those that node:querystring reads, each once ${RUNS.title}`, { timeout: RUNS.timeoutMs }, () => {
    fc.assert(
      fc.property(source, source, (query, form) => {
        expect(sorted(readParams(query, form).entries())).toEqual(sorted(paramsModel(query, form)));
      }),
      RUNS.parameters,
    );
  });

  it('stop at the thousandth of each text', () => {
    const many = Array.from({ length: 1_100 }, (_, i) => `p${i}=${i}`).join('&');
    expect(readParams(many, 'last=1').entries().length).toBe(1_001);
    for (const query of [many, many.replaceAll('&', '&&')])
      expect(sorted(readParams(query, 'last=1').entries())).toEqual(sorted(paramsModel(query, 'last=1')));
  });
});

/** The plain way: the form, and what the query says in place of it. */
function paramsModel(query: string, form: string): [string, string | undefined][] {
  const params: Record<string, string | undefined> = Object.create(null);
  for (const source of [form, query]) {
    const escaped = source.replace(/[^\0-\x7f]+/g, (text) => encodeURIComponent(Buffer.from(text).toString()));
    for (const [name, value] of Object.entries(parse(escaped))) params[name] = Array.isArray(value) ? value[0] : value;
  }
  return Object.entries(params);
}

function sorted(entries: [string, string | undefined][]) {
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

describe('a service name', () => {
  it.each([
    ['serviceName=orders', 'public', 'DEFAULT_GROUP', 'orders'],
    ['serviceName=orders&groupName=G1', 'public', 'G1', 'orders'],
    ['serviceName=G2%40%40orders&groupName=G1', 'public', 'G2', 'orders'],
    ['dom=orders', 'public', 'DEFAULT_GROUP', 'orders'],
    ['dom=old&serviceName=%20orders%20', 'public', 'DEFAULT_GROUP', 'orders'],
    ['serviceName=orders&namespaceId=&groupName=', 'public', 'DEFAULT_GROUP', 'orders'],
    ['serviceName=orders&namespaceId=dev-1', 'dev-1', 'DEFAULT_GROUP', 'orders'],
    ['serviceName=providers:com.shop.Orders:1.0.0:', 'public', 'DEFAULT_GROUP', 'providers:com.shop.Orders:1.0.0:'],
  ])('%s is read', (query, namespace, group, name) => {
    expect(readService(readParams(query, ''))).toEqual({ namespace, group, name });
  });

  it.each([
    ['groupName=G1', "Param 'serviceName' is required."],
    ['serviceName=%20', "Param 'serviceName' is required."],
    ['serviceName=@@orders', "Param 'serviceName' is illegal, it should be format as 'groupName@@serviceName'"],
    ['serviceName=G1@@', "Param 'serviceName' is illegal, it should be format as 'groupName@@serviceName'"],
    ['serviceName=a@@b@@c', "Param 'serviceName' is illegal, illegal characters should not appear in the param."],
    ['serviceName=a%20b', "Param 'serviceName' is illegal, illegal characters should not appear in the param."],
    [`serviceName=${'x'.repeat(513)}`, "Param 'serviceName' is illegal, the param length should not exceed 512."],
    ['serviceName=a&groupName=b/c', "Param 'group' is illegal, illegal characters should not appear in the param."],
    [
      'serviceName=a&namespaceId=a%23b',
      "Param 'namespaceId/tenant' is illegal, illegal characters should not appear in the param.",
    ],
    [
      `serviceName=a&namespaceId=${'n'.repeat(65)}`,
      "Param 'namespaceId/tenant' is illegal, the param length should not exceed 64.",
    ],
  ])('%s is refused', (query, message) => {
    expect(refusal(() => readService(readParams(query, '')))).toBe(message);
  });
});

describe('a registration', () => {
  const read = (query: string) => registrationOf(readNamed(readParams(`${AT}&${query}`, '')));

  it('needs no more than a place', () => {
    expect(read('')).toEqual({
      ip: '10.0.0.1',
      port: 80,
      cluster: 'DEFAULT',
      ephemeral: true,
      healthy: true,
      enabled: true,
      weight: 1,
      metadata: {},
    });
  });

  it.each([
    ['clusterName=C1&cluster=C2', { cluster: 'C1' }],
    ['cluster=C2', { cluster: 'C2' }],
    ['clusterName=&cluster=C2', { cluster: 'C2' }],
    ['enabled=false', { enabled: false }],
    ['enable=false', { enabled: false }],
    ['enabled=&enable=false', { enabled: false }],
    ['enabled=true&enable=false', { enabled: true }],
    ['enabled=YES&healthy=On&ephemeral=t', { enabled: true, healthy: true, ephemeral: true }],
    ['enabled=1&healthy=0&ephemeral=no', { enabled: false, healthy: false, ephemeral: false }],
    ['weight=2.5', { weight: 2.5 }],
    ['weight=0', { weight: 0 }],
    ['weight=0.001', { weight: 0.01 }],
    ['metadata=%7B%22a%22%3A%22b%22%2C%22n%22%3A1%2C%22t%22%3Atrue%7D', { metadata: { a: 'b', n: '1', t: 'true' } }],
    ['metadata=a%3Db,c%3Dd', { metadata: { a: 'b', c: 'd' } }],
    ['metadata=', { metadata: {} }],
    ['metadata=%5B%5D', { metadata: {} }],
  ])('%s is read', (query, expected) => {
    expect(read(query)).toMatchObject(expected);
  });

  it.each([
    ['weight=heavy', 'For input string: "heavy"'],
    ['weight=NaN', 'For input string: "NaN"'],
    ['weight=-1', 'instance format invalid: The weights range from 0.0 to 10000.0'],
    ['weight=10001', 'instance format invalid: The weights range from 0.0 to 10000.0'],
    ['metadata=abc', 'metadata format incorrect:abc'],
    ['metadata=%5B1%5D', 'metadata format incorrect:[1]'],
    ['metadata=%7B%22a%22%3A%7B%7D%7D', 'metadata format incorrect:{"a":{}}'],
    ['clusterName=a/b', "Param 'cluster' is illegal, illegal characters should not appear in the param."],
  ])('%s is refused', (query, message) => {
    expect(refusal(() => read(query))).toBe(message);
  });

  it.each(['abc', '-1', '65536', '80.0', '1e3', '0x50', '99999999999999999999'])('the port %s is refused', (port) => {
    expect(refusal(() => readPlace(readParams(`ip=10.0.0.1&port=${port}`, '')))).toBe(
      "Param 'port' is illegal, the value should be between 0 and 65535.",
    );
  });

  it.each([
    ['port=80', "Param 'ip' is required."],
    ['ip=10.0.0.1', "Param 'port' is required."],
    ['ip=10.0.0.1%0a&port=', "Param 'port' is required."],
    ['ip=a%20b&port=80', "Param 'ip' is illegal, illegal characters should not appear in the param."],
  ])('the place %s is refused', (query, message) => {
    expect(refusal(() => readPlace(readParams(query, '')))).toBe(message);
  });
});

describe('what a request says of an instance', () => {
  it('holds only what the request names', () => {
    const at = { ip: '10.0.0.1', port: 80, cluster: 'DEFAULT' };
    expect(readNamed(readParams(AT, ''))).toEqual(at);
    expect(readNamed(readParams(`${AT}&enabled=false`, ''))).toEqual({ ...at, enabled: false });
    expect(readNamed(readParams(`${AT}&weight=3&metadata=%7B%7D`, ''))).toEqual({ ...at, weight: 3, metadata: {} });
    expect(readNamed(readParams(`${AT}&ephemeral=false&healthy=no`, ''))).toEqual({ ...at, ephemeral: false, healthy: false });
  });

  it('takes valid for the older name of healthy, where it is asked for', () => {
    expect(readHealthy(Params.of({ valid: 'true' }))).toBe(true);
    expect(readHealthy(Params.of({ valid: 'true', healthy: 'false' }))).toBe(false);
    expect(readHealthy(Params.of({}))).toBeUndefined();
  });
});

describe('flags and lists', () => {
  it.each([
    ['true', true],
    ['TRUE', true],
    ['yes', false],
    ['1', false],
    ['', false],
  ])('healthyOnly=%s is %s', (text, value) => {
    expect(readFlag(Params.of({ healthyOnly: text }), 'healthyOnly')).toBe(value);
  });

  it('a list of clusters drops blanks', () => {
    expect(readClusters(' C1, ,C2,')).toEqual(['C1', 'C2']);
    expect(readClusters('')).toEqual([]);
  });
});

describe('a beat', () => {
  const beat = (json: string, query = '') =>
    readBeat(readParams(`serviceName=orders&beat=${encodeURIComponent(json)}&${query}`, ''));

  it('without JSON is a light one', () => {
    expect(readBeat(readParams(AT, ''))).toEqual({
      service: { namespace: 'public', group: 'DEFAULT_GROUP', name: 'orders' },
      place: { ip: '10.0.0.1', port: 80, cluster: 'DEFAULT' },
      said: undefined,
    });
  });

  it('as Java sends it tells all that registering needs', () => {
    const json = `{"port":8080,"ip":"10.1.2.3","weight":2.0,"serviceName":"G1@@orders","cluster":"C1","metadata":{"k":"v a&b=c+%d 中"},"scheduled":false,"period":1000,"stopped":false}`;
    expect(beat(json)).toMatchObject({
      service: { group: 'DEFAULT_GROUP', name: 'orders' },
      place: { ip: '10.1.2.3', port: 8080, cluster: 'C1' },
      said: { weight: 2, metadata: { k: 'v a&b=c+%d 中' } },
    });
  });

  it('as Go sends it, in a form that is not encoded, is read too', () => {
    const form =
      'serviceName=G1@@orders&beat={"ip":"10.1.2.3","port":8080,"weight":1,"serviceName":"G1@@orders","cluster":"","metadata":{"k":"100%"},"scheduled":false}';
    expect(readBeat(readParams('', form))).toMatchObject({
      service: { group: 'G1', name: 'orders' },
      place: { ip: '10.1.2.3', port: 8080, cluster: 'DEFAULT' },
      said: { metadata: { k: '100%' } },
    });
  });

  it.each([
    ['without a weight says nothing of it', '{"ip":"10.0.0.1","port":80}', { weight: undefined, enabled: undefined }],
    ['may have no metadata', '{"ip":"10.0.0.1","port":80,"metadata":null}', { metadata: undefined }],
    ['may be of a disabled instance', '{"ip":"10.0.0.1","port":80,"enabled":false}', { enabled: false }],
    ['may write numbers as text', '{"ip":"10.0.0.1","port":"80","weight":"1.5"}', { port: 80, weight: 1.5 }],
    ['may be of a persistent instance', '{"ip":"10.0.0.1","port":80,"ephemeral":false}', { ephemeral: false }],
    ['with a blank cluster takes the one of the query', '{"ip":"10.0.0.1","port":80,"cluster":" "}', { cluster: 'C9' }],
  ])('%s', (_, json, expected) => {
    expect(beat(json, 'clusterName=C9').said).toMatchObject(expected);
  });

  it.each(['[]', '{}'])('of %s says nothing, and is a light one of what the query names', (json) => {
    expect(beat(json, 'clusterName=C9')).toMatchObject({ place: { cluster: 'C9' }, said: undefined });
  });

  it.each([
    '{',
    'null',
    '[1]',
    '"x"',
    '7',
    '{"port":80}',
    '{"ip":"a","port":-1}',
    '{"ip":"a","port":[]}',
    '{"ip":"a","port":1,"weight":"x"}',
    '{"ip":"a","port":1,"weight":-5}',
    '{"ip":"a","port":1,"weight":1e300}',
    '{"ip":"a","port":1,"metadata":[1]}',
  ])('of %s is refused', (json) => {
    expect(() => beat(json)).toThrow(RequestError);
  });
});

describe('pages', () => {
  it.each([
    ['pageNo=2&pageSize=7', {}, { pageNo: 2, pageSize: 7 }],
    ['pageNo=-1&pageSize=2147483647', {}, { pageNo: 0, pageSize: 2_147_483_647 }],
    ['', { pageNo: 1, pageSize: 20 }, { pageNo: 1, pageSize: 20 }],
    ['pageSize=3', { pageNo: 1, pageSize: 20 }, { pageNo: 1, pageSize: 3 }],
  ])('%s with %j is read', (query, fallback, page) => {
    expect(readPage(readParams(query, ''), fallback)).toEqual(page);
  });

  it.each([
    ['pageSize=1', "Param 'pageNo' is required."],
    ['pageNo=1', "Param 'pageSize' is required."],
    ['pageNo=x&pageSize=1', 'For input string: "x"'],
    ['pageNo=1.5&pageSize=1', 'For input string: "1.5"'],
    ['pageNo=12345678901&pageSize=1', 'For input string: "12345678901"'],
  ])('%s is refused', (query, message) => {
    expect(refusal(() => readPage(readParams(query, '')))).toBe(message);
  });

  it('a count may have a fallback', () => {
    expect(readCount(Params.of({}), 'pageNo', 9)).toBe(9);
    expect(readCount(Params.of({ pageNo: '0' }), 'pageNo', 9)).toBe(0);
  });
});

describe('a batch', () => {
  it.each([
    ['consistencyType=ephemeral', { ephemeral: true }],
    ['consistencyType=persist', { ephemeral: false }],
    ['', { addresses: [] }],
    ['instances=[]', { addresses: [] }],
    [
      'instances=[{"ip":"10.0.0.1","port":"80"},{"ip":"b","port":1,"clusterName":"C1"}]',
      {
        addresses: [
          { ip: '10.0.0.1', port: 80 },
          { ip: 'b', port: 1 },
        ],
      },
    ],
  ])('%s is read', (query, batch) => {
    expect(readBatch(readParams(query, ''))).toMatchObject(batch);
  });

  it.each([
    ['instances=7', 'instances must be a JSON array of objects, got 7'],
    ['instances=[1]', 'instances must be a JSON array of objects, got [1]'],
    ['instances=[{"ip":"a"}]', "Param 'port' is illegal, the value should be between 0 and 65535."],
  ])('%s is refused', (query, message) => {
    expect(refusal(() => readBatch(readParams(query, '')))).toBe(message);
  });
});

describe('the settings of a service', () => {
  it('that are left out are cleared', () => {
    expect(readServiceSettings(Params.of({}), false)).toEqual({ protectThreshold: 0, metadata: {}, selector: { type: 'none' } });
  });

  it.each([
    [{ protectThreshold: '0.5' }, { protectThreshold: 0.5 }],
    // As 2.x, and for the tests of nacos-sdk-cpp: the nearest that there is.
    [{ protectThreshold: '-1' }, { protectThreshold: 0 }],
    [{ protectThreshold: '2' }, { protectThreshold: 1 }],
    [{ protectThreshold: '1.1' }, { protectThreshold: 1 }],
    [{ selector: '{"type":"label","expression":"A","weight":1}' }, { selector: { type: 'label', expression: 'A' } }],
    [{ metadata: 'a=b' }, { metadata: { a: 'b' } }],
    [{ selector: '{"type":"label"}' }, { selector: { type: 'label' } }],
    [{ selector: encodeURIComponent('{"type":"label"}') }, { selector: { type: 'label' } }],
  ])('%j are read', (params, settings) => {
    expect(readServiceSettings(Params.of(params), false)).toMatchObject(settings);
  });

  it.each([
    [{}, "Param 'protectThreshold' is required."],
    [{ protectThreshold: 'NaN' }, 'For input string: "NaN"'],
    [{ protectThreshold: 'Infinity' }, 'For input string: "Infinity"'],
    [{ protectThreshold: '0', selector: '{}' }, 'not match any type of selector! its type must be label or none, got {}'],
    [{ protectThreshold: '0', selector: '7' }, 'selector must be a JSON object, got 7'],
  ])('%j are refused', (params, message) => {
    expect(refusal(() => readServiceSettings(Params.of(params), true))).toBe(message);
  });
});

describe('what is missing', () => {
  it.each([
    ['String', "Required parameter 'p' type String is not present"],
    ['Integer', "Required parameter 'p' type Integer is not present"],
  ] as const)('is said to v2 with its type, %s', (type, v2Message) => {
    expect(() => required(Params.of({ p: ' ' }), 'p', type)).toThrow(
      expect.objectContaining({ v2Message, reason: 'missing-param' }),
    );
  });
});
