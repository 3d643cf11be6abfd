import { MissingParam, RequestError, shown } from '../errors.ts';

/** Stand-in: the part of the HTTP side's codec that reading configs needs. */
export type Params = Readonly<Record<string, string | undefined>>;

export function optional(params: Params, name: string): string | undefined {
  const value = params[name]?.trim();
  return value === '' ? undefined : value;
}

export function required(params: Params, name: string): string {
  const value = optional(params, name);
  if (value === undefined) throw new MissingParam(name);
  return value;
}

export function readCount(params: Params, name: string, fallback?: number): number {
  const text = fallback === undefined ? required(params, name) : optional(params, name);
  if (text === undefined) return fallback ?? 0;
  if (!/^-?\d{1,10}$/.test(text)) throw new RequestError('invalid', `For input string: "${shown(text)}"`);
  return Math.max(Number(text), 0);
}
