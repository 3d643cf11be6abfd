import type { Action, Edit, InstanceRef, ServiceRef } from './api.ts';

/** Reads what is to be done, strictly: what is not known is not done by half. A text: why it cannot be read. */
export function readAction(said: unknown): Action | string {
  if (!isObject(said)) return `an action must be a JSON object, got ${shown(said)}`;
  const { do: what } = said;
  const read = typeof what === 'string' && Object.hasOwn(READERS, what) ? READERS[what as Action['do']] : undefined;
  if (read === undefined) return `do must be one of ${Object.keys(READERS).join(', ')}, got ${shown(what)}`;
  const fields = new Fields(said);
  const action = read(fields);
  return fields.fault ?? action;
}

/** What an action says, each field by its name; and the first that is wrong. */
class Fields {
  readonly #said: Said;
  readonly #known = new Set(['do']);
  #fault: string | undefined;

  constructor(said: Said) {
    this.#said = said;
  }

  /** To be asked when all that is known has been read. */
  get fault(): string | undefined {
    const other = Object.keys(this.#said).find((name) => !this.#known.has(name));
    return this.#fault ?? (other === undefined ? undefined : `${shown(other)} is not known: ${[...this.#known].join(', ')}`);
  }

  get service(): ServiceRef {
    const [namespace, group] = [this.#text('namespace'), this.#text('group')];
    return { namespace, group, service: this.#text('service') };
  }

  get instance(): InstanceRef {
    const ip = this.#text('ip');
    const isPort = (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_PORT;
    return { ...this.service, ip, port: Number(this.of('port', isPort, `0..${MAX_PORT}`)) };
  }

  get reason(): { readonly reason?: string } {
    const reason = this.optional('reason', isText, 'a text');
    return reason === undefined || reason === '' ? {} : { reason: String(reason) };
  }

  get isEverywhere(): { readonly everywhere?: boolean } {
    const everywhere = this.optional('everywhere', (value) => typeof value === 'boolean', 'true or false');
    return everywhere === true ? { everywhere } : {};
  }

  number(name: string): number {
    return Number(this.of(name, (value) => typeof value === 'number', 'a number'));
  }

  get metadata(): Readonly<Record<string, string | null>> {
    return keysIn(this.of('metadata', isKeys, 'an object of texts and null'));
  }

  get edit(): Edit {
    return editIn(this.of('edit', isEdit, 'an object of enabled, weight and metadata'));
  }

  get ended(): readonly string[] {
    const ended = this.of('ended', (value) => Array.isArray(value) && value.every(isPart), 'of enabled, weight and metadata.KEY');
    return Array.isArray(ended) ? ended : [];
  }

  of(name: string, isRight: (value: unknown) => boolean, right: string): unknown {
    this.#known.add(name);
    const value = Object.hasOwn(this.#said, name) ? this.#said[name] : undefined;
    if (isRight(value)) return value;
    this.#fault ??= `${name} must be ${right}, got ${shown(value)}`;
    return undefined;
  }

  optional(name: string, isRight: (value: unknown) => boolean, right: string): unknown {
    return this.of(name, (value) => value === undefined || isRight(value), right);
  }

  #text(name: string): string {
    return String(this.of(name, (value) => isText(value) && value !== '', `a text of 1..${MAX_LENGTH} characters`) ?? '');
  }
}

type Said = Readonly<Record<string, unknown>>;

const READERS: { readonly [Do in Action['do']]: (fields: Fields) => Action } = {
  disable: (fields) => ({ do: 'disable', ...fields.instance, ...fields.reason }),
  enable: (fields) => ({ do: 'enable', ...fields.instance, ...fields.reason }),
  weight: (fields) => ({ do: 'weight', ...fields.instance, weight: fields.number('weight') }),
  metadata: (fields) => ({ do: 'metadata', ...fields.instance, metadata: fields.metadata }),
  unedit: (fields) => ({ do: 'unedit', ...fields.instance }),
  edit: (fields) => ({ do: 'edit', ...fields.instance, edit: fields.edit, ended: fields.ended }),
  deregister: (fields) => ({ do: 'deregister', ...fields.instance }),
  drain: (fields) => ({
    do: 'drain',
    ...fields.instance,
    forMs: fields.number('forMs'),
    ...fields.reason,
    ...fields.isEverywhere,
  }),
  resume: (fields) => ({ do: 'resume', ...fields.instance, ...fields.isEverywhere }),
  'create-service': (fields) => ({ do: 'create-service', ...fields.service }),
  'delete-service': (fields) => ({ do: 'delete-service', ...fields.service }),
};

const MAX_PORT = 65_535;
const MAX_LENGTH = 1_024;

function isObject(value: unknown): value is Said {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_LENGTH;
}

function isKeys(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((one) => one === null || typeof one === 'string');
}

function isEdit(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { enabled, weight, metadata, ...rest } = value;
  if (Object.keys(rest).length > 0 || (metadata !== undefined && !isKeys(metadata))) return false;
  return ['boolean', 'undefined'].includes(typeof enabled) && ['number', 'undefined'].includes(typeof weight);
}

function isPart(value: unknown): boolean {
  return typeof value === 'string' && (value === 'enabled' || value === 'weight' || value.startsWith('metadata.'));
}

/** Once it is known to be one. */
function keysIn(value: unknown): Readonly<Record<string, string | null>> {
  return isObject(value) ? (value as Readonly<Record<string, string | null>>) : {};
}

function editIn(value: unknown): Edit {
  return isObject(value) ? (value as Edit) : {};
}

function shown(value: unknown): string {
  let isWhole = true;
  // Of what is nested a thousand times no text can be made.
  const shallow = (_: string, one: unknown) => {
    if (!isWhole && typeof one === 'object' && one !== null) return '...';
    isWhole = false;
    return one;
  };
  return (JSON.stringify(value, shallow) ?? 'nothing').slice(0, 100);
}
