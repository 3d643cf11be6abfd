import { flat } from '../../registry/flat.ts';
import { type ConfigId, configKey } from '../configs.ts';
import { RequestError } from '../errors.ts';
import { checkedConfigId } from '../rules.ts';
import { decoded } from './decoded.ts';
import { type Params, readVerbatim } from './params.ts';

/**
 * The words in which clients of 1.x listen to texts: of each its names and the md5 that it had, between control characters, and in
 * the answer its names alone.
 */

/** A text as one that listens names it, and what it had. */
export interface ListenedText {
  /** Undefined for names that no text can have. */
  readonly id: ConfigId | undefined;
  /** As asked, for the answer. */
  readonly dataId: string;
  readonly group: string;
  readonly tenant: string;
  /** "" for none. */
  readonly md5: string;
}

/** Ends each word but the last of a text, and each text. */
const [WORD, TEXT] = ['\u0002', '\u0001'];

/**
 * `dataId ^2 group ^2 md5 [^2 tenant] ^1` for each text. What no ^1 ends is dropped; of one text that is named twice, the last holds.
 * It is decoded once more, as some clients encode it twice.
 */
export function readListening(params: Params, maxTexts: number): readonly ListenedText[] {
  const said = decoded(readVerbatim(params, 'Listening-Configs'));
  if (said.trim() === '' && !said.includes(TEXT)) throw invalid();
  const texts = new Map<string, ListenedText>();
  for (const line of said.split(TEXT, maxTexts + 2).slice(0, -1)) {
    const [dataId = '', group, md5, tenant = '', ...more] = line.split(WORD, 5);
    if (group === undefined || md5 === undefined || more.length > 0) throw invalid();
    const id = line.length > MAX_LINE_LENGTH ? undefined : idOf(tenant, group, dataId);
    // Of one that cannot be, nothing is ever told.
    if (id === undefined) texts.set(line, NO_TEXT);
    else texts.set(configKey(id), { id, dataId, group, tenant, md5 });
  }
  if (texts.size > maxTexts) throw invalid();
  return [...texts.values()].map(ownText);
}

/** Names, the md5 and white space around them; longer than that is none of a text. */
const MAX_LINE_LENGTH = 1_024;
const NO_TEXT: ListenedText = { id: undefined, dataId: '', group: '', tenant: '', md5: '' };

/** It is kept for as long as its caller waits, and the request is not. */
function ownText({ id, ...words }: ListenedText): ListenedText {
  return id === undefined ? NO_TEXT : { id: flat({ ...id }), ...flat(words) };
}

/** `dataId ^2 group [^2 tenant] ^1` for each text, encoded, and the end of the line; "" where there is none. */
export function writeListening(texts: readonly ListenedText[]): string {
  if (texts.length === 0) return '';
  const fieldsOf = ({ dataId, group, tenant }: ListenedText) => [dataId, group, ...(tenant === '' ? [] : [tenant])].join(WORD);
  return `${encodeURIComponent(texts.map((text) => `${fieldsOf(text)}${TEXT}`).join(''))}\n`;
}

/** A refusal would have it ask again at once, for ever: a text that cannot be is one that is not there. */
function idOf(tenant: string, group: string, dataId: string): ConfigId | undefined {
  try {
    return dataId.trim() === '' ? undefined : checkedConfigId(tenant, group, dataId);
  } catch (error) {
    if (error instanceof RequestError) return undefined;
    throw error;
  }
}

function invalid(): RequestError {
  return new RequestError('invalid', 'caused: invalid probeModify;');
}
