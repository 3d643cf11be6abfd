import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RequestError } from '../../../src/nacos/errors.ts';
import { urlEncoded } from '../../../src/nacos/http/multipart.ts';
import { readParams } from '../../../src/nacos/http/params.ts';
import { randomRuns } from '../../support/random.ts';

const RUNS = randomRuns(1_000);
const TYPE = 'multipart/form-data; boundary=xyz';

function read(body: string | Buffer, type = TYPE) {
  return readParams('', urlEncoded(Buffer.from(body), type)).entries();
}

function part(head: string, value: string): string {
  return `--xyz\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}\r\n`;
}

it(`what the platform writes as a form in parts is read as it was said ${RUNS.title}`, { timeout: RUNS.timeoutMs }, async () => {
  const piece = fc.oneof(fc.constantFrom('\r\n', '--', '\r\n--', '%', '+', '&', '=', '中', '"', '\r\n\r\n'), fc.string());
  const text = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(''));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.string({ minLength: 1 }), text), { minLength: 1, maxLength: 4 }), async (fields) => {
      const form = new FormData();
      for (const [name, value] of fields) form.append(name, value);
      form.append('file', new Blob(['x']), 'name');
      const sent = new Response(form);
      const body = Buffer.from(await sent.arrayBuffer());
      const again = await new Response(body, { headers: sent.headers }).formData();
      const firsts = new Map([...again].filter(([name]) => name !== 'file').reverse());
      const heard = read(body, sent.headers.get('content-type') ?? '');
      expect(new Map(heard.filter(([name]) => name !== 'file'))).toEqual(firsts);
    }),
    RUNS.parameters,
  );
});

it.each([
  ['a boundary in quotes', part('name="a"', '1'), 'multipart/form-data; boundary="xyz"'],
  ['text before the first part', `before\r\n${part('name="a"', '1')}`, TYPE],
  ['other headers', part('name="a"', '1').replace('Content-D', 'X: y\r\ncontent-d'), TYPE],
  ['a file beside it, which is no parameter', part('name="f"; filename="b"', 'x') + part('name="a"', '1'), TYPE],
])('%s', (_, body, type) => {
  expect(read(`${body}--xyz--\r\n`, type)).toEqual([['a', '1']]);
});

it('parts beyond the thousandth are not looked at', () => {
  expect(read(`${part('name="a"', '1').repeat(1_000)}--xyz\r\nnothing`)).toEqual([['a', '1']]);
});

it.each([
  ['no end', part('name="a"', '1')],
  ['no name', `${part('nome="a"', '1')}--xyz--`],
  ['a head without end', `--xyz\r\nContent-Disposition: form-data; name="a"\r\n--xyz--`],
  ['a head that is too long', `--xyz\r\nX: ${'y'.repeat(20_000)}\r\n${part('name="a"', '1').slice(7)}--xyz--`],
])('of one with %s nothing is read', (_, body) => {
  expect(() => read(body)).toThrow(RequestError);
});
