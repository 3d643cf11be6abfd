import type { Beats, EventLine, Snapshot, ViewName } from './api.ts';
import type { Happened, Reader, Sources } from './sources.ts';

/** How a view is made. Each view is a file in `views/`, and one of the table there. */
export interface View {
  /** Reads what of it is asked for; a text: why that cannot be read. It may keep something for as long as somebody looks. */
  readonly open: (params: URLSearchParams, room: LookRoom) => Opened | string;
}

export interface Opened {
  /** All that is on the screen now. Yields where others may have their turn: a part takes no more than a fraction of a millisecond. */
  readonly look: (reader: Reader) => Look;
  /** Which events are told as they happen, where any are. */
  readonly hears?: (happened: Happened) => boolean;
  /** As what each of them is told, where that is not as usual. */
  readonly toldOf?: (happened: Happened) => EventLine;
  /** Facts that a page is told once: from then on it hears of each event what makes them others. */
  readonly onlyAtFirst?: ReadonlySet<string>;
  /** Whatever happened until then is in those facts, and is not told once more. */
  readonly isToldAtFirst?: boolean;
}

export type Look<V extends ViewName = ViewName> = Generator<undefined, Omit<Snapshot<V>, 'seq'>, void>;

export interface LookRoom extends Sources {
  readonly pulse: { readonly minutes: Beats; readonly last: Beats };
}

/** After so many small things others have their turn. */
export const AT_ONCE = 200;

/** Work that pauses by itself, as a part of a look. */
export function* paused<T>(work: Generator<unknown, T>): Generator<undefined, T, void> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    yield undefined;
  }
}

/** The parameters that a view knows, each once; a text: which it does not know. */
export function known<Name extends string>(
  params: URLSearchParams,
  names: readonly Name[],
  maxLength = MAX_PARAM_LENGTH,
): Readonly<Partial<Record<Name, string>>> | string {
  const read: Partial<Record<Name, string>> = {};
  for (const [name, value] of params) {
    const one = names.find((other) => other === name);
    if (one === undefined) return `${JSON.stringify(name.slice(0, 100))} is not known: ${names.join(', ')}`;
    if (read[one] !== undefined) return `${name} is said more than once`;
    if (value.length > maxLength) return `${name} is longer than ${maxLength} characters`;
    if (value !== '') read[one] = value;
  }
  return read;
}

const MAX_PARAM_LENGTH = 1_024;

/** Of what is paged: which page of how many, the first being 1. Beyond the last is the last. */
export function paged(
  asked: string | undefined,
  count: number,
  ofOne: number,
): { readonly page: number; readonly pages: number } {
  const pages = Math.max(1, Math.ceil(count / ofOne));
  const page = Math.min(pages, Math.max(1, Math.floor(Number(asked ?? 1)) || 1));
  return { page, pages };
}
