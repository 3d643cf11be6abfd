import { isObject } from './api.ts';
import { END, type Line, SCHEMA } from './lines.ts';

/** Reading a line of a file that anybody may have written: what is not exactly a line is a fault, with what would be right. */

/** What a line is: the head, the end, or one of what is moved. */
export type Parsed = { readonly kind: 'head'; readonly from: string } | { readonly kind: 'end' } | Line;

/** A text is what is wrong. */
export function parseLine(text: string): Parsed | string {
  const json = parsed(text);
  if (!isObject(json)) return `must be a JSON object, got ${shown(text)}`;
  if (Object.hasOwn(json, 'beatbridge')) return parseHead(json);
  const { kind, ...fields } = json;
  if (kind === 'end') return Object.keys(fields).length === 0 ? { kind: 'end' } : `the end must be ${END}`;
  const form = typeof kind === 'string' ? FORMS.get(kind) : undefined;
  if (form === undefined)
    return `the kind must be one of ${[...FORMS.keys()].join(', ')}, got ${shown(JSON.stringify(kind) ?? 'none')}`;
  const fault = faultIn(fields, form);
  // Every field of the kind has been looked at.
  return fault === undefined ? (json as unknown as Line) : `${String(kind)}: ${fault}`;
}

function parseHead(json: Readonly<Record<string, unknown>>): Parsed | string {
  const { beatbridge, schema, from } = json;
  if (beatbridge !== 'export' || typeof schema !== 'number' || !Number.isInteger(schema))
    return 'is no head: it must be {"beatbridge":"export","schema":1,...}';
  if (schema > SCHEMA) return `was written by a newer version: its schema is ${schema}, this one reads up to ${SCHEMA}`;
  if (schema < 1) return `schema must be 1..${SCHEMA}, got ${schema}`;
  return { kind: 'head', from: typeof from === 'string' ? from : '' };
}

interface Rule {
  readonly is: (value: unknown) => boolean;
  readonly right: string;
  readonly optional?: boolean;
}

const TEXT: Rule = { is: (value) => typeof value === 'string', right: 'a text' };
const NAME: Rule = { is: (value) => typeof value === 'string' && value.trim() !== '', right: 'a text that is not blank' };
const FLAG: Rule = { is: (value) => typeof value === 'boolean', right: 'true or false' };
const NUMBER: Rule = { is: (value) => typeof value === 'number' && value >= 0, right: 'a number of at least 0' };
const PORT: Rule = { is: isPort, right: '0..65535' };
const TEXTS: Rule = { is: (value) => isMap(value, (item) => typeof item === 'string'), right: 'an object of texts' };
const EDITED: Rule = {
  is: (value) => isMap(value, (item) => item === null || typeof item === 'string'),
  right: 'an object of texts and nulls',
};
const TYPED: Rule = { is: (value) => isObject(value) && typeof value.type === 'string', right: 'an object with a type' };

type Form = Readonly<Record<string, Rule>>;

const EDIT_FORM: Form = { enabled: maybe(FLAG), weight: maybe(NUMBER), metadata: maybe(EDITED) };
const EDIT: Rule = nested(EDIT_FORM, 'enabled, weight and metadata, or some of them');
const CLUSTER_FORM: Form = { healthChecker: TYPED, checkPort: PORT, useInstancePort: FLAG, metadata: TEXTS };
const CLUSTERS: Rule = {
  is: (value) => isMap(value, (item) => isObject(item) && faultIn(item, CLUSTER_FORM) === undefined),
  right: `an object of clusters, each with ${Object.keys(CLUSTER_FORM).join(', ')}`,
};
const PLACE: Form = { namespace: NAME, group: NAME, service: NAME, ip: NAME, port: PORT };

const FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['namespace', { id: NAME, name: NAME, description: TEXT }],
  [
    'service',
    {
      namespace: NAME,
      group: NAME,
      name: NAME,
      ephemeral: maybe(FLAG),
      protectThreshold: NUMBER,
      metadata: TEXTS,
      selector: TYPED,
      clusters: CLUSTERS,
    },
  ],
  [
    'instance',
    {
      ...PLACE,
      cluster: NAME,
      ephemeral: FLAG,
      weight: NUMBER,
      enabled: FLAG,
      healthy: FLAG,
      metadata: TEXTS,
      edit: maybe(EDIT),
    },
  ],
  ['edit', { ...PLACE, edit: EDIT }],
  ['text', { namespace: NAME, group: NAME, dataId: NAME, type: TEXT, content: TEXT, encryptedDataKey: maybe(TEXT) }],
  ['switch', { entry: NAME, value: TEXT }],
]);

/** What is wrong with the fields; undefined when nothing is. */
function faultIn(json: Readonly<Record<string, unknown>>, form: Form): string | undefined {
  const given = new Map(Object.entries(json));
  for (const [key, { is, right, optional }] of Object.entries(form)) {
    if (!given.has(key)) {
      if (optional !== true) return `${key} is missing`;
    } else if (!is(given.get(key))) return `${key} must be ${right}, got ${shown(JSON.stringify(given.get(key)))}`;
    given.delete(key);
  }
  for (const key of given.keys()) return `${shown(JSON.stringify(key))} is not known: there are ${Object.keys(form).join(', ')}`;
  return undefined;
}

function maybe(rule: Rule): Rule {
  return { ...rule, optional: true };
}

function nested(form: Form, right: string): Rule {
  return { is: (value) => isObject(value) && faultIn(value, form) === undefined, right: `an object of ${right}` };
}

function isMap(value: unknown, is: (item: unknown) => boolean): boolean {
  return isObject(value) && Object.values(value).every(is);
}

function isPort(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65_535;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function shown(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
