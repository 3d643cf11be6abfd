import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../src/cli/config-file.ts';
import { configPrint } from '../../src/cli/config-print.ts';
import { configSchema, propertyOf } from '../../src/cli/config-schema.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { OPTIONS, type Option } from '../../src/options.ts';

const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(JSON.parse(configSchema()));
const isValid = (text: string) => validate(parse(text));
const isTaken = (text: string) => parseConfig(text, 'f').faults.length === 0;

/** The values around what an option may be. */
function valuesOf({ bounds: { words = [], least, most }, default: value }: Option): unknown[] {
  const numbers = least === undefined || most === undefined ? [] : [least - 1, least, most, most + 1, least + 0.5];
  return [value, ...words, ...numbers, String(value), 'no such word', true, -1, 0, 1, null, [], {}];
}

describe('the schema of the file of options', () => {
  it.each(Object.entries(OPTIONS))('refuses nothing that the program takes as %s', (name, option) => {
    const taken = valuesOf(option).filter((value) => isTaken(JSON.stringify({ [name]: value })));
    expect(taken).toContain(option.default);
    for (const value of taken) expect(validate({ [name]: value }), JSON.stringify(value)).toBe(true);
  });

  it.each(Object.entries(OPTIONS).filter(([, { bounds }]) => bounds.fits === undefined && bounds.pattern === undefined))(
    'takes nothing that the program refuses as %s',
    (name, option) => {
      const refused = valuesOf(option).filter((value) => !isTaken(JSON.stringify({ [name]: value })));
      expect(refused).not.toEqual([]);
      for (const value of refused) expect(validate({ [name]: value }), JSON.stringify(value)).toBe(false);
    },
  );

  it.each([
    ['', true],
    ['# nothing', true],
    ['port: 80\nminAvailable: 2\nlogLevel: debug', true],
    ['contextPath: /a/b', true],
    ['contextPath: a', false],
    ['contextPath: /a//b', false],
    ['host: a b', false],
    ['prot: 80', false],
    ['push-delay: 80', false],
    ['port: "80"', false],
    ['pushDelayMs: 20ms', false],
    ['probes: yes', false],
    ['tlsPort: none', true],
    ['tlsPort: any', false],
    ['- port: 80', false],
    ['port', false],
  ])('judges %j as the program does', (text, valid) => {
    expect([isValid(text), isTaken(text)]).toEqual([valid, valid]);
  });

  it('takes what is printed', () => {
    expect(isValid(configPrint(readSettings({}, {}), false))).toBe(true);
  });

  it('says of each option what the help says, and its default, unless that is secret', () => {
    const { properties } = JSON.parse(configSchema());
    expect(Object.keys(properties)).toEqual(Object.keys(OPTIONS));
    for (const [name, { help, expected, default: value, secret }] of Object.entries(OPTIONS)) {
      expect(properties[name].description.toLowerCase()).toBe(`${help}. Values: ${expected}.`.toLowerCase());
      expect(properties[name].default).toBe(secret ? undefined : value);
    }
    expect(propertyOf({ ...OPTIONS.host, secret: true })).toMatchObject({ writeOnly: true });
    expect(propertyOf({ ...OPTIONS.host, secret: true })).not.toHaveProperty('default');
  });
});
