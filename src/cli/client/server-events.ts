import type { HttpAnswer } from './http.ts';

/** Server-sent events, as they come. */
export interface ServerEvent {
  /** "message", unless it has a name. */
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

/** Throws as `lines` does. */
export async function* serverEvents({ lines }: HttpAnswer): AsyncGenerator<ServerEvent, void> {
  let [event, id, data]: [string, string | undefined, string[]] = ['message', undefined, []];
  for await (const line of lines()) {
    if (line === '') {
      if (data.length > 0) yield { event, id, data: data.join('\n') };
      [event, id, data] = ['message', undefined, []];
      continue;
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
    else if (field === 'id') id = value;
  }
}
