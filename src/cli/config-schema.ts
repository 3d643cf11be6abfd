import { isText, OPTIONS, type Option } from '../options.ts';

/**
 * A JSON Schema of the file of options, for editors: draft 7, which all of them know. It refuses nothing that the program takes; what it
 * cannot say, as that two ports must differ, the program alone refuses.
 */
export function configSchema(): string {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Options of beatbridge',
    // A file may say nothing at all.
    type: ['object', 'null'],
    additionalProperties: false,
    properties: Object.fromEntries(Object.entries(OPTIONS).map(([name, option]) => [name, propertyOf(option)])),
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

export function propertyOf(option: Option): Readonly<Record<string, unknown>> {
  const kinds = kindsOf(option);
  const help = `${option.help}. Values: ${option.expected}.`;
  return {
    description: `${help.slice(0, 1).toUpperCase()}${help.slice(1)}`,
    ...(kinds.length === 1 ? kinds[0] : { anyOf: kinds }),
    ...(option.secret ? { writeOnly: true } : { default: option.default }),
  };
}

function kindsOf({ bounds }: Option): readonly Readonly<Record<string, unknown>>[] {
  const { words, least, most, pattern } = bounds;
  return [
    ...(least === undefined ? [] : [{ type: 'integer', minimum: least, maximum: most }]),
    // A number is taken as the text that stands there.
    ...(isText(bounds) ? [{ type: ['string', 'number'], ...(pattern && { pattern: pattern.source }) }] : []),
    ...(words === undefined ? [] : [{ enum: words }]),
  ];
}
