import { answer, answerInPieces } from '../../wire/answer.ts';
import type { Response } from '../../wire/exchange.ts';
import type { Scheduler } from '../../wire/scheduler.ts';
import { writeJson } from '../doubles.ts';
import { MOST_KEPT_BYTES } from '../lists.ts';
import { Long, writeLong } from '../many.ts';
import type { Walks } from '../walks.ts';
import { Written } from '../written.ts';
import { walkerOf } from './asked.ts';
import type { LargeAnswers } from './large-answers.ts';
import { Answer, type Data, OK, type Reply } from './route.ts';

/** The one place that encodes answers. Success is 200, as no client accepts anything else. */

/** At once where the answer is short: undefined then. */
export function say(res: Response, reply: Reply, said: Data | Answer, room: SayingRoom): Promise<void> | undefined {
  const isPlain = !(said instanceof Answer);
  const status = isPlain ? 200 : said.status;
  const data = isPlain ? said : said.data;
  const shown = reply === 'envelope' ? enveloped(data) : data;
  if (shown instanceof Long) {
    // Before it is made, where it is known how long it will be.
    room.largeAnswers.admit(res, shown.bytes);
    const written = room.walks.run(writeLong(shown.data), walkerOf(res));
    const isAdmitted = shown.bytes > 0;
    if (written instanceof Promise) return written.then((made) => sayInPieces(res, status, made, room, isAdmitted));
    if (!isAdmitted) room.largeAnswers.admit(res, written.bytes);
    send(res, status, written);
    return undefined;
  }
  if (shown instanceof Written) {
    // What is kept for all who ask is nobody's own.
    if (shown.pieces.length > 1) return sayInPieces(res, status, shown, room, shown.bytes <= MOST_KEPT_BYTES);
    send(res, status, shown, isPlain ? undefined : said.headers);
    return undefined;
  }
  const body = typeof shown === 'string' ? shown : Written.of(writeJson(shown));
  room.largeAnswers.admit(res, body instanceof Written ? body.bytes : Buffer.byteLength(body));
  send(res, status, body, isPlain ? undefined : said.headers);
  return undefined;
}

/** As it is, in one piece. */
export function send(res: Response, status: number, data: Data, headers?: Answer['headers']): void {
  if (typeof data === 'string') answer(res, status, TEXT, data, headers);
  else if (data instanceof Written) answer(res, status, JSON_TYPE, data.json, headers, data.bytes);
  else answer(res, status, JSON_TYPE, writeJson(data), headers);
}

export interface SayingRoom {
  readonly scheduler: Pick<Scheduler, 'soon'>;
  readonly walks: Pick<Walks, 'run'>;
  readonly largeAnswers: LargeAnswers;
}

function sayInPieces(res: Response, status: number, written: Written, room: SayingRoom, isAdmitted = false): Promise<void> {
  if (!isAdmitted) room.largeAnswers.admit(res, written.bytes);
  return answerInPieces(res, status, JSON_TYPE, written, (run) => room.scheduler.soon(run));
}

function enveloped(data: Data): Data {
  if (data === OK) return OK_ENVELOPED;
  if (data instanceof Long) return new Long({ code: 0, message: 'success', data: data.data }, data.bytes);
  return data instanceof Written ? data.between(ENVELOPE, '}') : { code: 0, message: 'success', data };
}

const ENVELOPE = '{"code":0,"message":"success","data":';
const OK_ENVELOPED = Written.of(`${ENVELOPE}"${OK}"}`);

const TEXT = 'text/plain;charset=UTF-8';
const JSON_TYPE = 'application/json;charset=UTF-8';
