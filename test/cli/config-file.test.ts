import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseConfig, readConfigFile } from '../../src/cli/config-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'beatbridge-'));
afterAll(() => rmSync(folder, { recursive: true }));

const valuesIn = (text: string) => {
  const { said, faults } = parseConfig(text, 'f');
  expect(faults).toEqual([]);
  return Object.fromEntries([...said].map(([name, { value }]) => [name, value]));
};

describe('a file of options', () => {
  it.each([
    ['', {}],
    ['# nothing\n', {}],
    ['---\n', {}],
    ['{}', {}],
    ['port: 80', { port: 80 }],
    ['port:\t80 # as text', { port: 80 }],
    ['\r\nport: 80\r\nhost: a\r\n', { port: 80, host: 'a' }],
    ['---\nport: 80\n...\n', { port: 80 }],
    ['{"port": 80, "host": "::"}', { port: 80, host: '::' }],
    ['port: 0x50', { port: 80 }],
    ['port: 80.0', { port: 80 }],
    ['port: -0', { port: 0 }],
    ['port: &main 80', { port: 80 }],
    ['minAvailable: 2', { minAvailable: '2' }],
    ['minAvailable: "2"', { minAvailable: '2' }],
    ['minAvailable: 50%', { minAvailable: '50%' }],
    ['defaultService: 1.0', { defaultService: '1.0' }],
    ["defaultService: ''", { defaultService: '' }],
    ['tlsPort: none', { tlsPort: 'none' }],
    ['tlsPort: 8443', { tlsPort: 8443 }],
    ['probes: false', { probes: false }],
  ])('%j is read', (text, values) => {
    expect(valuesIn(text)).toEqual(values);
  });

  it.each([
    ['port: "80"', 'f:1:7 port must be 0..65535, got "80"'],
    ['port: 65536', 'f:1:7 port must be 0..65535, got 65536'],
    ['port: 80.5', 'f:1:7 port must be 0..65535, got 80.5'],
    ['port: .inf', 'f:1:7 port must be 0..65535, got Infinity'],
    ['port: true', 'f:1:7 port must be 0..65535, got true'],
    ['port:', 'f:1:1 port must be 0..65535, got nothing'],
    ['port: ~', 'f:1:7 port must be 0..65535, got nothing'],
    ['port: [80]', 'f:1:7 port must be 0..65535, got a list'],
    ['{port}', 'f:1:2 port must be 0..65535, got nothing'],
    ['host:\n  name: a', 'f:2:3 host must be an address or a host name, got a mapping'],
    ['host: true', 'f:1:7 host must be an address or a host name, got true'],
    ['host: a b', 'f:1:7 host must be an address or a host name, got "a b"'],
    ['probes: yes', 'f:1:9 probes must be true or false, got "yes"'],
    ['probes: "true"', 'f:1:9 probes must be true or false, got "true"'],
    ['pushDelayMs: 20ms', 'f:1:14 pushDelayMs must be 0..10000, got "20ms"'],
    ['minAvailable: 0', 'f:1:15 minAvailable must be a count from 1, or 1%..100%, got "0"'],
    ['logLevel: loud', /^f:1:11 logLevel must be one of fatal, .*, got "loud"$/],
    ['--port: 80', 'f:1:1 --port is not an option, did you mean port?'],
    ['push-delay: 80', 'f:1:1 push-delay is not an option, did you mean pushDelayMs?'],
    ['toString: 80', 'f:1:1 toString is not an option'],
    ['__proto__: 80', 'f:1:1 __proto__ is not an option'],
    ['<<: {port: 80}', 'f:1:1 << is not an option'],
    ['"a\\nb\\e[1m": 80', 'f:1:1 a?b?[1m is not an option'],
    ['80: 80', 'f:1:1: the name of an option must be a text'],
    ['? [port]\n: 80', 'f:1:3: the name of an option must be a text'],
    ['port: 80\nhost: a\nport: 80', 'f:3:1 port is said twice, first in line 1'],
    ['- port: 80', 'f:1:1: must be options, such as "port: 8848", got a list'],
    ['\nport 80', 'f:2:1: must be options, such as "port: 8848", got a single value'],
    ['port: 80\n---\nport: 81', 'f:2:1: a second document begins, and there may be one only'],
    ['host: a\n\tport: 80', 'f:2:1: tabs are not allowed as indentation'],
    ['host: ::', 'f:1:7: a value with a colon at its end, or before a space, needs quotes'],
    ['host: "::', 'f:1:10: missing closing "quote'],
    ['{host: a}\nhunter2', 'f:2:1: unexpected scalar at node end'],
    ['}hunter2', 'f:1:1: unexpected flow-map-end token in YAML document'],
    ['host: !secret a', 'f:1:7: unresolved tag: !secret'],
    ['port: &a 80\ngrpcPort: *a', 'f:2:11 grpcPort must be 0..65535, got an alias: write the value itself'],
    ['port: *port', 'f:1:7 port must be 0..65535, got an alias: write the value itself'],
  ])('%j is refused', (text, fault) => {
    expect(parseConfig(text, 'f').faults).toEqual([typeof fault === 'string' ? fault : expect.stringMatching(fault)]);
  });

  it('says all that is wrong with it in its order, but of very much only how much', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `option${i}: 1\n`);
    const { faults } = parseConfig(`${names.join('')}port: 80a\n`, 'f');
    expect(faults).toHaveLength(101);
    expect(faults[99]).toMatch(/^f:100:1 option99 is not an option/);
    expect(faults[100]).toBe('f has 19901 faults more');
  });

  it('that grows by its aliases is refused unopened', () => {
    const bomb = ['a: &a0 [x, x]', ...Array.from({ length: 40 }, (_, i) => `b${i}: &a${i + 1} [*a${i}, *a${i}]`), 'port: *a40'];
    expect(parseConfig(bomb.join('\n'), 'f').faults.at(-1)).toMatch(/^f:42:7 port must be .* got an alias/);
  });

  it('that is nested without end is refused', () => {
    const { faults, wrong } = parseConfig(`port: ${'['.repeat(20_000)}`, 'f');
    expect(faults[0]).toMatch(/^f:1:\d+: nested too deeply$/);
    expect(wrong).toContain('port');
  });
});

describe('the file itself', () => {
  const written = (content: string | Buffer) => {
    const file = join(folder, 'beatbridge.yaml');
    writeFileSync(file, content);
    return file;
  };
  const faultsOf = (file: string) => readConfigFile(file, '--config').faults;

  it('may begin with the mark of the byte order', () => {
    const { said, faults } = readConfigFile(written('\uFEFFport: 80\n'), '--config');
    expect(faults).toEqual([]);
    expect(said.get('port')).toMatchObject({ value: 80, source: expect.stringMatching(/yaml:1$/) });
    expect(faultsOf(written('\uFEFFprot: 80\n'))).toEqual([expect.stringMatching(/yaml:1:1 prot is not an option/)]);
  });

  it('may have 256 KiB, and no more', () => {
    const line = 'port: 80\n';
    const full = written(`${line}#${' '.repeat((256 << 10) - line.length - 1)}`);
    expect(faultsOf(full)).toEqual([]);
    const larger = written(`${line}#${' '.repeat((256 << 10) - line.length)}`);
    expect(faultsOf(larger)).toEqual([`--config must be a file of at most 262144 bytes, ${larger} is larger`]);
  });

  it('is no directory, no device without end, no other encoding, and there', () => {
    expect(faultsOf(folder)).toEqual([`--config must be a file, ${folder} is a directory`]);
    expect(faultsOf('/dev/zero')).toEqual(['--config must be a file of at most 262144 bytes, /dev/zero is larger']);
    const wide = written(Buffer.from('\uFEFFport: 80', 'utf16le'));
    expect(faultsOf(wide)).toEqual([`--config must be a text in UTF-8, ${wide} is none`]);
    expect(faultsOf(join(folder, 'nowhere'))).toEqual([expect.stringMatching(/^--config cannot be read: ENOENT: .*nowhere'$/)]);
    expect(faultsOf('a\0b')).toEqual([expect.stringMatching(/^--config cannot be read: /)]);
    expect(faultsOf('')).toEqual(['--config must be a file, got ""']);
    expect(readConfigFile('', '--config').wrong).toContain('port');
  });
});
