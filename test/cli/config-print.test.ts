import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/cli/config-file.ts';
import { configPrint, json, yaml } from '../../src/cli/config-print.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { OPTIONS } from '../../src/options.ts';

describe('printed options', () => {
  const settings = readSettings({ '--port': '80', '--min-available': '2' }, { BEATBRIDGE_LOG_LEVEL: 'warn' });

  it('are all there are, each with its value and where it comes from', () => {
    const lines = configPrint(settings, false).split('\n');
    expect(lines).toHaveLength(Object.keys(OPTIONS).length + 1);
    const words = lines.map((line) => line.replace(/ +/g, ' '));
    expect(words).toEqual(
      expect.arrayContaining(['host: "::" # default', 'port: 80 # flag', 'logLevel: "warn" # env BEATBRIDGE_LOG_LEVEL']),
    );
    const asJson = JSON.parse(configPrint(settings, true));
    expect(Object.keys(asJson)).toEqual(Object.keys(OPTIONS));
    expect(asJson).toMatchObject({
      host: { value: '::', source: 'default' },
      port: { value: 80, source: 'flag' },
      minAvailable: { value: '2', source: 'flag' },
      logLevel: { value: 'warn', source: 'env BEATBRIDGE_LOG_LEVEL' },
    });
  });

  it('are a file that says the same, whatever the texts', () => {
    const read = (text: string) => {
      const { said, faults } = parseConfig(text, 'f');
      expect(faults).toEqual([]);
      return Object.fromEntries([...said].map(([name, { value }]) => [name, value]));
    };
    expect(read(configPrint(settings, false))).toEqual(settings.options);
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', 'none', 'null', '1', '1e3', 'a: b', ' # a', '---'));
    fc.assert(
      fc.property(text, text, fc.nat(10_000), fc.boolean(), (defaultService, tlsCert, pushDelayMs, probes) => {
        const options = { ...settings.options, defaultService, tlsCert, pushDelayMs, probes };
        expect(read(configPrint({ ...settings, options }, false))).toEqual(options);
      }),
    );
  });

  it('tell of a secret only that there is one', () => {
    const all = [
      { name: 'token', value: 'hunter2', source: 'f:1', secret: true },
      { name: 'port', value: 80, source: 'f:2', secret: false },
    ];
    expect(yaml(all)).toMatch(/^# token: \(hidden\) +# f:1\nport: 80 +# f:2\n$/);
    expect(JSON.parse(json(all))).toEqual({ token: { value: '(hidden)', source: 'f:1' }, port: { value: 80, source: 'f:2' } });
  });
});
