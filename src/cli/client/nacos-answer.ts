import { CallError, oneLine } from './failures.ts';
import { type HttpCall, textFrom } from './http.ts';
import type { Target } from './target.ts';

/** What Nacos answers to a change that is done: whoever else is at the port may answer 200 to everything. */

/** Makes a change. Rejects with `UnreachableError` and `CallError`. */
export async function done(target: Target, call: HttpCall): Promise<void> {
  const text = await textFrom(target, call);
  if (!isDone(text)) throw notOfNacos(target, text);
}

export function isDone(text: string): boolean {
  return text.trim() === 'ok';
}

export function notOfNacos({ addr }: Target, text: string): CallError {
  const said = JSON.stringify(oneLine(text).slice(0, 100));
  return new CallError(`${addr} does not answer like a beatbridge or Nacos: ${said}`, { isLasting: true });
}
