import { describe, expect, it } from 'vitest';
import type { Line } from '../../src/moving/lines.ts';
import { checkFile, linesOfFile, type Numbered } from '../../src/moving/reading.ts';
import { NASTY_TEXTS } from '../support/nasty-texts.ts';
import { asFile, bytes } from './registry.ts';

const HEAD = '{"beatbridge":"export","schema":1,"at":"2026-01-01T00:00:00.000Z","from":"beatbridge"}';
const TEXT = '{"kind":"text","namespace":"public","group":"G","dataId":"d","type":"text","content":"c"}';
const END = '{"kind":"end"}';
const SERVICE =
  '{"kind":"service","namespace":"public","group":"G","name":"s","protectThreshold":0,"metadata":{},"selector":{"type":"none"},"clusters":{}}';
const INSTANCE =
  '{"kind":"instance","namespace":"n","group":"G","service":"s","ip":"10.0.0.1","port":80,"cluster":"C","ephemeral":false,"weight":1,"enabled":true,"healthy":true,"metadata":{}}';

const file = (...lines: string[]) => `${lines.join('\n')}\n`;
const within = (line: string) => file(HEAD, line, END);

async function faultsOf(text: string | Uint8Array): Promise<readonly string[]> {
  try {
    await checkFile(bytes(text));
    return [];
  } catch (error) {
    return (error as { faults: readonly string[] }).faults;
  }
}

describe('a file is taken', () => {
  it.each([
    ['with every kind', file(HEAD, '{"kind":"namespace","id":"n","name":"N","description":""}', SERVICE, INSTANCE, TEXT, END), 4],
    ['with nothing in it', file(HEAD, END), 0],
    ['without a last line break', file(HEAD, TEXT, END).trimEnd(), 1],
    ['with the line ends and the mark of Windows', `\ufeff${file(HEAD, TEXT, END).replaceAll('\n', '\r\n')}`, 1],
    ['with blank lines', file('', HEAD, '', TEXT, ' ', END, ''), 1],
    ['in any order', file(HEAD, TEXT, SERVICE, END), 2],
  ])('%s', async (_, text, count) => {
    expect(await checkFile(bytes(text))).toBe(count);
  });
});

describe('a file is refused, with the line,', () => {
  it.each<[name: string, text: string | Uint8Array, fault: string]>([
    ['that is empty', '', 'the file is empty'],
    ['that has nothing but blanks', ' \n \n', 'the file is empty'],
    ['that is no JSON', 'hello\n', 'line 1 must be a JSON object, got hello'],
    ['without a head', file(TEXT, END), 'line 1 is no head: {"beatbridge":"export","schema":1,...}'],
    [
      'of a newer version',
      file(HEAD.replace('"schema":1', '"schema":2'), '{"kind":"dream"}'),
      'line 1 was written by a newer version: its schema is 2, this one reads up to 1',
    ],
    [
      'of no version',
      file('{"beatbridge":"export"}', END),
      'line 1 is no head: it must be {"beatbridge":"export","schema":1,...}',
    ],
    ['of version 0', file('{"beatbridge":"export","schema":0}', END), 'line 1 schema must be 1..1, got 0'],
    [
      'of something else',
      '{"name":"package"}\n',
      'line 1 the kind must be one of namespace, service, instance, edit, text, switch, got none',
    ],
    ['that was cut off between lines', file(HEAD, TEXT), 'the last line must be {"kind":"end"}: the file was cut off'],
    ['that was cut off within a line', file(HEAD, TEXT.slice(0, 50)), `line 2 must be a JSON object, got ${TEXT.slice(0, 50)}`],
    ['with a line behind the end', file(HEAD, END, TEXT), 'line 3 stands behind the end'],
    ['that is two files', file(HEAD, TEXT, END, HEAD, TEXT, END), 'line 4 is a second head: one file at a time'],
    ['with a list', within('[]'), 'line 2 must be a JSON object, got []'],
    ['with null', within('null'), 'line 2 must be a JSON object, got null'],
    ['with two objects in a line', within('{} {}'), 'line 2 must be a JSON object, got {} {}'],
    [
      'of an unknown kind',
      within('{"kind":"dream"}'),
      'line 2 the kind must be one of namespace, service, instance, edit, text, switch, got "dream"',
    ],
    [
      'of a kind that is no text',
      within('{"kind":["text"]}'),
      'line 2 the kind must be one of namespace, service, instance, edit, text, switch, got ["text"]',
    ],
    [
      'with a key that is not known',
      within(TEXT.replace('"type"', '"typ":1,"type"')),
      'line 2 text: "typ" is not known: there are namespace, group, dataId, type, content, encryptedDataKey',
    ],
    [
      'with __proto__ as a key',
      within(TEXT.replace('"type"', '"__proto__":1,"type"')),
      'line 2 text: "__proto__" is not known: there are namespace, group, dataId, type, content, encryptedDataKey',
    ],
    ['with a key that is missing', within(TEXT.replace(',"content":"c"', '')), 'line 2 text: content is missing'],
    [
      'with a name that is blank',
      within(TEXT.replace('"d"', '" "')),
      'line 2 text: dataId must be a text that is not blank, got " "',
    ],
    ['with a port too high', within(INSTANCE.replace('80', '65536')), 'line 2 instance: port must be 0..65535, got 65536'],
    ['with half a port', within(INSTANCE.replace('80', '80.5')), 'line 2 instance: port must be 0..65535, got 80.5'],
    ['with a port in quotes', within(INSTANCE.replace('80', '"80"')), 'line 2 instance: port must be 0..65535, got "80"'],
    [
      'with a weight below 0',
      within(INSTANCE.replace('"weight":1', '"weight":-1')),
      'line 2 instance: weight must be a number of at least 0, got -1',
    ],
    [
      'with a number in metadata',
      within(INSTANCE.replace('"metadata":{}', '"metadata":{"a":1}')),
      'line 2 instance: metadata must be an object of texts, got {"a":1}',
    ],
    [
      'with an edit of something else',
      within(INSTANCE.replace('"metadata"', '"edit":{"port":1},"metadata"')),
      'line 2 instance: edit must be an object of enabled, weight and metadata, or some of them, got {"port":1}',
    ],
    [
      'with a cluster that says too little',
      within(SERVICE.replace('"clusters":{}', '"clusters":{"C":{}}')),
      'line 2 service: clusters must be an object of clusters, each with healthChecker, checkPort, useInstancePort, metadata, got {"C":{}}',
    ],
    [
      'with a selector without a type',
      within(SERVICE.replace('{"type":"none"}', '{}')),
      'line 2 service: selector must be an object with a type, got {}',
    ],
    [
      'with bytes that are no UTF-8',
      Buffer.concat([Buffer.from(file(HEAD)), Buffer.from([0x7b, 0xff, 0x7d, 0x0a]), Buffer.from(file(END))]),
      'line 2 is not UTF-8',
    ],
  ])('%s', async (_, text, fault) => {
    expect(await faultsOf(text)).toEqual([fault]);
  });

  it('and says all that is wrong at once, up to twenty', async () => {
    expect(await faultsOf(file(HEAD, 'x', TEXT, '{"kind":"y"}', END))).toEqual([
      'line 2 must be a JSON object, got x',
      'line 4 the kind must be one of namespace, service, instance, edit, text, switch, got "y"',
    ]);
    expect(await faultsOf(file(HEAD, ...Array.from({ length: 50 }, () => 'x'), END))).toHaveLength(20);
  });

  it.each(NASTY_TEXTS)('whatever its second line is: %j', async (text) => {
    const faults = await faultsOf(within(text));
    if (text.trim() === '') expect(faults).toEqual([]);
    else expect(faults[0]).toMatch(/^line [23] .{0,300}$/s);
  });
});

it('lines come back as they were, however the file is cut into pieces', async () => {
  const lines = NASTY_TEXTS.map(
    (content, i): Line => ({ kind: 'text', namespace: 'public', group: 'G', dataId: `d${i}`, type: 'text', content }),
  );
  const text = await asFile(lines);
  for (const size of [1, 2, 3, 1_000, 1_000_000]) {
    const found: Numbered[] = [];
    for await (const one of linesOfFile(bytes(text, size))) found.push(one);
    expect(found).toEqual(lines.map((line, i) => ({ number: i + 2, line })));
  }
});
