import { createHash } from 'node:crypto';
import { connect as connectHttp2 } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../../../src/index.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { NacosGrpc } from '../../support/nacos-grpc.ts';
import { dial, exchange } from '../../support/raw.ts';
import { answerOf, nacos, startServer } from '../../support/server.ts';

failOnLeaks();

const V1 = '/nacos/v1/cs/configs';
const V2 = '/nacos/v2/cs/config';
const V3 = '/nacos/v3/client/cs/config';
const TYPE = { 'content-type': 'application/x-www-form-urlencoded' };

let server: Server;
let serial = 0;
/** A text that no other test knows. */
const fresh = () => ({ dataId: `lp:${++serial}`, group: 'G' });

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close(100));

const md5Of = (text: string) => createHash('md5').update(text).digest('hex');
const ask = (method: string, path: string, params: Record<string, string | number>, init: RequestInit = {}) =>
  answerOf(nacos(server, method, path, params, init));
const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
  answerOf(
    fetch(`http://${server.listeners.main}${path}`, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { ...TYPE, ...headers },
    }),
  );
const success = (data: unknown) => ({ status: 200, body: { code: 0, message: 'success', data } });
const TRUE = { status: 200, body: true };

describe('a text', () => {
  it('is published, read with its md5, replaced and removed', async () => {
    const id = fresh();
    expect(await post(V1, { ...id, tenant: '', content: 'a: ü', type: 'yaml' })).toEqual(TRUE);
    const response = await nacos(server, 'GET', V1, { ...id, tenant: '' });
    expect([response.status, await response.text()]).toEqual([200, 'a: ü']);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/plain;charset=UTF-8',
      'content-md5': md5Of('a: ü'),
      'config-type': 'yaml',
      'last-modified': expect.stringMatching(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/),
      pragma: 'no-cache',
      expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
      'cache-control': 'no-cache,no-store',
      'encrypted-data-key': '',
    });
    const head = await nacos(server, 'HEAD', V1, id);
    expect([head.headers.get('content-length'), head.headers.get('content-md5')]).toEqual(['5', md5Of('a: ü')]);
    expect(await ask('POST', V1, { ...id, content: ' two ' })).toEqual(TRUE);
    expect(await ask('GET', V1, id)).toEqual({ status: 200, body: ' two ' });
    for (let i = 0; i < 2; i++) expect(await ask('DELETE', V1, id)).toEqual(TRUE);
    expect(await ask('GET', V1, id)).toEqual({ status: 404, body: 'config data not exist' });
  });

  it('is one for all versions and transports', async () => {
    const id = fresh();
    using client = await NacosGrpc.connect(server.listeners.grpc, { labels: { module: 'config' } });
    const everywhere = async (content: string | undefined) => {
      const [v1, v2, v3, grpc] = await Promise.all([
        ask('GET', V1, id),
        ask('GET', V2, { ...id, namespaceId: 'public' }),
        ask('GET', V3, { dataId: id.dataId, groupName: id.group }),
        client.ask('ConfigQueryRequest', { ...id, tenant: 'public' }),
      ]);
      if (content === undefined) {
        const data = 'config data not exist';
        expect(v1).toEqual({ status: 404, body: data });
        expect(v2).toEqual({ status: 404, body: { code: 20_004, message: 'resource not found', data } });
        expect(v3).toEqual({ status: 200, body: { code: 20_004, message: 'resource not found', data: null } });
        expect(grpc.body).toMatchObject({ errorCode: 300, message: data });
        return;
      }
      const md5 = md5Of(content);
      expect(v1).toEqual({ status: 200, body: content });
      expect(v2).toEqual(success(content));
      const found = { resultCode: 200, errorCode: 0, message: null, requestId: null, content, encryptedDataKey: '' };
      const more = { contentType: 'text', md5, lastModified: expect.any(Number), tag: null, beta: false, success: true };
      expect(v3).toEqual(success({ ...found, ...more }));
      expect(grpc.body).toMatchObject({ content, md5 });
    };
    await everywhere(undefined);
    expect(await post(V2, { ...id, content: 'from v2' })).toEqual(success(true));
    await everywhere('from v2');
    await client.ask('ConfigPublishRequest', { ...id, tenant: '', content: 'from grpc' });
    await everywhere('from grpc');
    expect(await post(V1, { ...id, tenant: 'public', content: 'from v1' })).toEqual(TRUE);
    await everywhere('from v1');
    expect(await ask('DELETE', V2, id)).toEqual(success(true));
    await everywhere(undefined);
  });

  it.each(['public', '', 'null', 'PUBLIC'])('of the tenant "%s" is that of the default namespace', async (tenant) => {
    const id = fresh();
    await post(V1, { ...id, tenant, content: 'x' });
    for (const other of ['', 'public'])
      expect(await ask('GET', V1, { ...id, tenant: other })).toEqual({ status: 200, body: 'x' });
    expect(await ask('GET', V1, { ...id, tenant: 'dev' })).toMatchObject({ status: 404 });
  });

  it('is swapped by its md5 when there is one, and inserted whatever the md5 when there is none', async () => {
    const id = fresh();
    const message = 'Cas publish fail, server md5 may have changed.';
    expect(await post(V1, { ...id, content: 'x' }, { casMd5: '0' })).toEqual(TRUE);
    expect(await post(V1, { ...id, content: 'y' }, { casMd5: '0' })).toEqual({ status: 500, body: message });
    const envelope = { code: 20_005, message: 'resource conflict', data: message };
    expect(await post(V2, { ...id, content: 'y' }, { casMd5: '0' })).toEqual({ status: 500, body: envelope });
    expect(await post(V1, { ...id, content: 'y' }, { casMd5: md5Of('x') })).toEqual(TRUE);
    expect(await post(V1, { ...id, content: 'z', casMd5: '0' })).toEqual(TRUE);
  });

  it('is read as UTF-8, whatever the form says, and kept so', async () => {
    const id = fresh();
    // "中" in GBK.
    const body = Buffer.concat([Buffer.from(`dataId=${id.dataId}&group=G&content=`), Buffer.from([0xd6, 0xd0])]);
    const headers = { 'content-type': 'application/x-www-form-urlencoded;charset=GBK' };
    expect(await ask('POST', V1, {}, { body, headers })).toEqual(TRUE);
    const response = await nacos(server, 'GET', V1, id);
    const text = await response.text();
    expect(text).toContain('\ufffd');
    expect(response.headers.get('content-md5')).toBe(md5Of(text));
  });

  it('of a type that Nacos does not know is text', async () => {
    const id = fresh();
    const typeOf = async () => (await nacos(server, 'GET', V1, id)).headers.get('config-type');
    for (const [type, kept] of Object.entries({ toml: 'toml', JSON: 'text', 'a\tb': 'text', '': 'text' })) {
      await post(V1, { ...id, content: 'x', type });
      expect(await typeOf()).toBe(kept);
    }
  });

  it('as long as one over gRPC is taken, every character of it escaped', async () => {
    const id = fresh();
    const content = '{'.repeat(1 << 20);
    expect(await post(V1, { ...id, content })).toEqual(TRUE);
    expect(await post(V1, { ...id, content: `${content}{` })).toEqual({
      status: 400,
      body: 'content must not exceed 1048576 bytes, got 1048577 (--max-config-bytes)',
    });
    expect(await ask('DELETE', V1, id)).toEqual(TRUE);
  });

  it.each<[string, Record<string, string>, string]>([
    ['blank', { content: ' ' }, 'caused: content is blank : ;'],
    ['that is missing', {}, 'caused: content is blank : ;'],
    ['with a blank in its name', { dataId: 'a b', content: 'x' }, "Param 'dataId' is illegal, illegal characters"],
    [
      'with a long name',
      { dataId: 'a'.repeat(257), content: 'x' },
      "Param 'dataId' is illegal, the param length should not exceed 256",
    ],
    ['of a strange group', { group: 'a/b', content: 'x' }, "Param 'group' is illegal"],
    ['of a strange tenant', { tenant: 'a b', content: 'x' }, "Param 'namespaceId/tenant' is illegal"],
    ['without a name', { dataId: '', content: 'x' }, "Param 'dataId' is required."],
    ['without a group', { group: '', content: 'x' }, "Param 'group' is required."],
    ['for some readers alone', { tag: 'blue', content: 'x' }, 'tag must be left out, got "blue"'],
    ['that readers decipher', { encryptedDataKey: 'k', content: 'x' }, 'encryptedDataKey must be left out, got "k"'],
  ])('%s is refused', async (_, form, text) => {
    const { status, body } = await post(V1, { ...fresh(), ...form });
    expect([status, body]).toEqual([400, expect.stringContaining(text)]);
  });

  it('for addresses alone is refused, over gRPC too, and the one for all stays when it is to be removed', async () => {
    const id = fresh();
    await post(V1, { ...id, content: 'x' });
    const refused = 'betaIps must be left out, got "10.0.0.1": a text is for all readers, and kept as it is';
    expect(await post(V1, { ...id, content: 'y' }, { betaIps: '10.0.0.1' })).toEqual({ status: 400, body: refused });
    using client = await NacosGrpc.connect(server.listeners.grpc, { labels: { module: 'config' } });
    const grpc = { ...id, tenant: '', content: 'y', additionMap: { betaIps: '10.0.0.1' } };
    expect((await client.ask('ConfigPublishRequest', grpc)).body).toMatchObject({ success: false, message: refused });
    const stopped = { code: 200, message: 'stop beta ok', data: true };
    expect(await ask('DELETE', V1, { ...id, beta: 'true' })).toEqual({ status: 200, body: stopped });
    expect(await ask('DELETE', V1, { ...id, tag: 'blue' })).toEqual(TRUE);
    await client.ask('ConfigRemoveRequest', { ...id, tenant: '', tag: 'blue' });
    const none = { code: 200, message: 'query beta ok', data: null };
    expect(await ask('GET', V1, { ...id, beta: 'true' })).toEqual({ status: 200, body: none });
    expect(await ask('GET', V1, id)).toEqual({ status: 200, body: 'x' });
  });

  it('is shown with all that is known of it, and removed by its number', async () => {
    const id = fresh();
    await post(V1, { ...id, content: 'x' });
    const { body } = await ask('GET', V1, { ...id, show: 'all' });
    expect(body).toMatchObject({
      ...id,
      id: expect.stringMatching(/^\d+$/),
      content: 'x',
      md5: md5Of('x'),
      tenant: '',
      type: 'text',
    });
    const { id: number } = body as { readonly id: string };
    const removed = { status: 200, body: { code: 200, message: null, data: true } };
    expect(await ask('DELETE', V1, { delType: 'ids', ids: `0,${number},x` })).toEqual(removed);
    expect(await ask('GET', V1, { ...id, show: 'all' })).toEqual({ status: 200, body: '' });
  });

  it('without a group says so in the words of each version', async () => {
    const text = "Required parameter 'group' type String is not present";
    expect(await ask('GET', V1, { dataId: 'a' })).toEqual({ status: 400, body: "Param 'group' is required." });
    expect(await ask('GET', V2, { dataId: 'a' })).toEqual({
      status: 400,
      body: { code: 10_000, message: 'parameter missing', data: text },
    });
    const body = "caused: Required parameter 'groupName' type String is not present;";
    expect(await ask('GET', V3, { dataId: 'a' })).toEqual({ status: 400, body });
  });
});

describe('looking for texts', () => {
  const found = async (params: Record<string, string | number>, path = V1) => {
    const { body } = await ask('GET', path, { tenant: 'search', pageNo: 1, pageSize: 10, dataId: '', group: '', ...params });
    return (body as { readonly pageItems: { readonly dataId: string }[] }).pageItems.map(({ dataId }) => dataId);
  };
  beforeAll(async () => {
    for (const dataId of ['a1', 'a2', 'b1']) await post(V1, { dataId, group: 'G', tenant: 'search', content: `of ${dataId}` });
  });

  it.each<[string, string, readonly string[]]>([
    ['accurate', 'a1', ['a1']],
    ['accurate', '', ['a1', 'a2', 'b1']],
    ['accurate', 'a*', []],
    ['blur', 'a*', ['a1', 'a2']],
    ['blur', '*1', ['a1', 'b1']],
    ['blur', 'a*1', ['a1']],
    ['blur', '*', ['a1', 'a2', 'b1']],
    ['blur', 'a1*1', []],
    ['blur', '**2**', ['a2']],
    ['blur', '1', []],
    ['blur', '', ['a1', 'a2', 'b1']],
  ])('%s "%s" finds %j', async (search, dataId, expected) => {
    expect(await found({ search, dataId })).toEqual(expected);
    expect(await found({ search, dataId }, `${V2}/searchDetail`)).toEqual(expected);
  });

  it('goes by what they say too', async () => {
    expect(await found({ config_detail: 'of a' }, `${V2}/searchDetail`)).toEqual(['a1', 'a2']);
  });

  it('answers no page that is too long to be read', async () => {
    await using small = await startServer({ maxConfigPageBytes: 1_024 });
    const put = (dataId: string) => nacos(small, 'POST', V1, { dataId, group: 'G', content: 'x'.repeat(600) });
    await Promise.all([put('a'), put('b')]);
    const page = (pageSize: number) => answerOf(nacos(small, 'GET', V1, { search: 'blur', pageNo: 1, pageSize }));
    expect(await page(1)).toMatchObject({ status: 200, body: { totalCount: 2, pagesAvailable: 2 } });
    const body = 'the texts of a page must not exceed 1024 bytes, got 1200: ask for a smaller page';
    expect(await page(2)).toEqual({ status: 400, body });
  });

  it('in the past finds nothing', async () => {
    const page = { totalCount: 0, pageNumber: 1, pagesAvailable: 0, pageItems: [] };
    const id = { dataId: 'a1', group: 'G' };
    expect(await ask('GET', '/nacos/v1/cs/history', { search: 'accurate', ...id })).toEqual({ status: 200, body: page });
    expect(await ask('GET', '/nacos/v1/cs/history', { nid: 1 })).toEqual({ status: 200, body: '' });
    expect(await ask('GET', '/nacos/v1/cs/history/previous', { id: 1 })).toEqual({ status: 200, body: '' });
    expect(await ask('GET', '/nacos/v2/cs/history/list', id)).toEqual(success(page));
    expect(await ask('GET', '/nacos/v2/cs/history', { nid: 1 })).toEqual(success(null));
    expect(await ask('GET', '/nacos/v1/cs/history/configs', { tenant: 'search' })).toMatchObject({
      body: [{ dataId: 'a1', content: null }, { dataId: 'a2' }, { dataId: 'b1', tenant: 'search', md5: null }],
    });
    expect(await ask('GET', '/nacos/v2/cs/history/configs', { namespaceId: 'nobody' })).toEqual(success([]));
  });
});

describe('listening', () => {
  const HELD = { 'Long-Pulling-Timeout': '30000' };
  const lineOf = (...words: readonly string[]) => `${words.join('\u0002')}\u0001`;
  const listen = async (line: string, headers: Record<string, string> = HELD) =>
    fetch(`http://${server.listeners.main}${V1}/listener`, {
      method: 'POST',
      body: `Listening-Configs=${encodeURIComponent(line)}`,
      headers: { ...TYPE, ...headers },
    });
  const said = async (response: Promise<Response>) => {
    const { status, headers, ...rest } = await response.then(async (r) => ({
      status: r.status,
      headers: r.headers,
      text: await r.text(),
    }));
    return { status, type: headers.get('content-type'), ...rest };
  };
  const answered = (text: string) => ({ status: 200, type: 'application/json;charset=UTF-8', text });
  /** Resolves when somebody listens to it. */
  const listened = (id: { dataId: string; group: string }, count = 1) =>
    expect
      .poll(async () => {
        const { body } = await ask('GET', `${V1}/listener`, id);
        return Object.keys((body as { lisentersGroupkeyStatus: object }).lisentersGroupkeyStatus).length;
      })
      .toBe(count);

  it('answers at once what is not as the caller has it', async () => {
    const [one, other] = [fresh(), fresh()];
    await post(V1, { ...one, content: 'x' });
    await post(V1, { ...other, tenant: 'tn1', content: 'x' });
    const [first, second] = [`${one.dataId}`, `${other.dataId}`].map((dataId) => encodeURIComponent(dataId));
    const lines = [lineOf(one.dataId, 'G', ''), lineOf('same', 'G', ''), lineOf(other.dataId, 'G', 'stale', 'tn1')];
    expect(await said(listen(lines.join('')))).toEqual(answered(`${first}%02G%01${second}%02G%02tn1%01\n`));
  });

  it.each([
    ['in the query', '?Listening-Configs=%ID%02G%02stale%01', undefined],
    ['encoded twice', '', 'Listening-Configs=%ID%2502G%2502stale%2501'],
    ['in raw bytes', '', 'Listening-Configs=%ID\u0002G\u0002stale\u0001'],
    ['with a blank tenant', '', 'Listening-Configs=%ID%02G%02stale%02%01'],
    ['with a word that nothing ends', '', 'Listening-Configs=%ID%02G%02stale%01other%02G%02'],
  ])('takes the names %s', async (_, query, body) => {
    const id = fresh();
    await post(V1, { ...id, content: 'x' });
    const put = (text: string) => text.replace('%ID', id.dataId);
    const url = `http://${server.listeners.main}${V1}/listener${put(query)}`;
    const init = { method: 'POST', headers: { ...TYPE, ...HELD }, ...(body !== undefined && { body: put(body) }) };
    expect(await said(fetch(url, init))).toEqual(answered(`${encodeURIComponent(id.dataId)}%02G%01\n`));
  });

  it('names the tenant as it was asked', async () => {
    const id = fresh();
    await post(V1, { ...id, content: 'x' });
    const line = lineOf(id.dataId, 'G', '', 'public');
    expect((await said(listen(line))).text).toBe(`${encodeURIComponent(id.dataId)}%02G%02public%01\n`);
  });

  it.each([
    ['changed', (id: Record<string, string>) => post(V1, { ...id, content: 'y' })],
    ['removed', (id: Record<string, string>) => ask('DELETE', V1, id)],
  ])('waits until a text is %s, and answers that alone', async (_, change) => {
    const [one, other] = [fresh(), fresh()];
    await post(V1, { ...one, content: 'x' });
    const waiting = said(listen(lineOf(one.dataId, 'G', md5Of('x')) + lineOf(other.dataId, 'G', '')));
    await listened(one);
    const { body } = await ask('GET', `${V1}/listener`, one);
    expect(body).toEqual({ collectStatus: 200, lisentersGroupkeyStatus: { '127.0.0.1': md5Of('x') } });
    // The same once more is no change.
    await post(V1, { ...one, content: 'x' });
    await change(one);
    expect(await waiting).toEqual(answered(`${encodeURIComponent(one.dataId)}%02G%01\n`));
    await listened(one, 0);
    await listened(other, 0);
  });

  it('is told of what is published over gRPC, and a connection of what is published over HTTP', async () => {
    const id = fresh();
    using client = await NacosGrpc.connect(server.listeners.grpc, { labels: { module: 'config' } });
    await client.ask('ConfigBatchListenRequest', { listen: true, configListenContexts: [{ ...id, tenant: '', md5: '' }] });
    const told = () => client.heard.filter(({ type }) => type === 'ConfigChangeNotifyRequest').length;
    await post(V1, { ...id, content: 'x' });
    await expect.poll(told).toBe(1);
    const waiting = said(listen(lineOf(id.dataId, 'G', md5Of('x'))));
    await expect
      .poll(async () => (await ask('GET', `${V1}/listener`, id)).body)
      .toMatchObject({
        // One address, and the one that came last.
        lisentersGroupkeyStatus: { '127.0.0.1': md5Of('x') },
      });
    await client.ask('ConfigPublishRequest', { ...id, tenant: '', content: 'y' });
    expect((await waiting).text).toContain(encodeURIComponent(id.dataId));
    await expect.poll(told).toBe(2);
  });

  it('does not wait where the caller wants none of it', async () => {
    const id = fresh();
    const headers = { ...HELD, 'Long-Pulling-Timeout-No-Hangup': 'true' };
    const empty = await listen(lineOf(id.dataId, 'G', ''), headers);
    expect([empty.status, await empty.text(), empty.headers.get('content-length'), empty.headers.get('pragma')]).toEqual([
      200,
      '',
      '0',
      null,
    ]);
    expect((await said(listen(lineOf(id.dataId, 'G', 'stale'), headers))).text).toBe(`${encodeURIComponent(id.dataId)}%02G%01\n`);
  });

  it('answers in headers whoever names no time', async () => {
    const id = fresh();
    await post(V1, { ...id, content: 'x' });
    const response = await listen(lineOf(id.dataId, 'G', ''), {});
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(response.headers.get('probe-modify-response')).toBe(`${id.dataId}:G;`);
    expect(response.headers.get('probe-modify-response-new')).toBe(`${encodeURIComponent(id.dataId)}%02G%01`);
    const unchanged = await listen(lineOf(id.dataId, 'G', md5Of('x')), {});
    expect([await unchanged.text(), unchanged.headers.get('probe-modify-response')]).toEqual(['', null]);
  });

  it.each([
    ['nothing', '', HELD, 'caused: invalid probeModify;'],
    ['one word', lineOf('d'), HELD, 'caused: invalid probeModify;'],
    ['five words', lineOf('d', 'g', 'm', 't', 'u'), HELD, 'caused: invalid probeModify;'],
    [
      'very many texts',
      Array.from({ length: 10_001 }, (_, i) => lineOf(`${i}`, 'G', '')).join(''),
      HELD,
      'caused: invalid probeModify;',
    ],
    ['a time that is none', lineOf('d', 'G', ''), { 'Long-Pulling-Timeout': 'abc' }, 'caused: For input string: "abc";'],
  ])('to %s is refused', async (_, line, headers, text) => {
    expect(await said(listen(line, headers))).toMatchObject({ status: 400, text });
  });

  it.each(['HTTP/1.1', 'a stream of HTTP/2', 'a pipelined request'])('ends with its connection: %s', async (kind) => {
    const id = fresh();
    const body = `Listening-Configs=${encodeURIComponent(lineOf(id.dataId, 'G', ''))}`;
    const head = `POST ${V1}/listener HTTP/1.1\r\nHost: x\r\nContent-Type: ${TYPE['content-type']}\r\nLong-Pulling-Timeout: 30000\r\n`;
    if (kind === 'a stream of HTTP/2') {
      const session = connectHttp2(`http://${server.listeners.main}`);
      const headers = { ...TYPE, ':path': `${V1}/listener`, ':method': 'POST', 'long-pulling-timeout': '30000' };
      const stream = session.request(headers);
      stream.on('error', () => {});
      stream.end(body);
      await listened(id);
      stream.close(8);
      await listened(id, 0);
      session.destroy();
      return;
    }
    const socket = await dial(server.listeners.main);
    const request = `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
    socket.write(kind === 'a pipelined request' ? request.repeat(3) : request);
    await listened(id);
    socket.destroy();
    await listened(id, 0);
  });

  it('ends when the server goes, with nothing, and the server does not wait for it', async () => {
    const other = await startServer();
    const url = `http://${other.listeners.main}${V1}/listener`;
    const waiting = Array.from({ length: 3 }, () =>
      said(fetch(url, { method: 'POST', headers: { ...TYPE, ...HELD }, body: 'Listening-Configs=d%02G%02%01' })),
    );
    await expect
      .poll(async () => (await answerOf(nacos(other, 'GET', `${V1}/listener`, { dataId: 'd', group: 'G' }))).body)
      .toMatchObject({ lisentersGroupkeyStatus: { '127.0.0.1': '' } });
    const started = performance.now();
    await other.close(20_000);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => answered('')));
  });

  it('is not mistaken for a body without end', async () => {
    const answer = await exchange(
      server.listeners.main,
      [`POST ${V1}/listener HTTP/1.1\r\nHost: x\r\nContent-Length: 4194305\r\n\r\n`],
      (heard) => heard.includes('bytes'),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*the body must not exceed 4194304 bytes$/);
  });
});
