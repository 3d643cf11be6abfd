import { batch, computed, signal } from '@preact/signals';
import type { Delta, EventLine, Missed, Over, Refused, Snapshot, ViewName } from '../../src/console/api.ts';
import { applied } from './deltas.ts';
import { type Params, route } from './route.ts';
import { ask, loadSession, needLogin, session } from './session.ts';
import { type Message, SseReader } from './sse.ts';
import { failingCount } from './title.ts';

/**
 * The one stream that the page has open: of the view on the screen. It never asks twice at a time, and none while nobody looks.
 */
export interface Shown<V extends ViewName = ViewName> extends Omit<Snapshot<V>, 'seq'> {
  readonly view: V;
  /** By what it was asked for. */
  readonly query: string;
}

export type Connection = {
  readonly state: 'connecting' | 'live' | 'lost' | 'over';
  readonly since: number;
  readonly says?: string;
};

export const shown = signal<Shown>();
export const connection = signal<Connection>({ state: 'connecting', since: Date.now() });
/** Set once the bridge that answers is another process than the one before. */
export const wasRestarted = signal<number>();

const HIDDEN_FOR_MS = 60_000;
const WAITING_MOST = 5_000;
const TOO_MANY = 429;
const PAUSE_MS = { first: 250, most: 5_000 } as const;

/** What the page asks for now. */
export const query = computed(() => queryOf(route.value.view, route.value.params));

/** The server refuses what it does not know: what begins with `_` is the page's alone. */
export function queryOf(view: string, params: Params): string {
  if (view === 'login' || view === 'unknown') return '';
  const asked = Object.entries(params).filter(([name]) => !name.startsWith('_'));
  return new URLSearchParams([['view', view], ...asked]).toString();
}

/** What has happened since the view on the screen came as a whole, and what was missed of that; of very much the last. */
export const happened = signal<readonly (EventLine | Missed)[]>([]);
const MOST_HAPPENED = 500;

const listeners = new Set<(line: EventLine) => void>();
const missedBy = new Set<(missed: Missed) => void>();

/** Tells of each event as it happens, where the view is one that shows them; returns what ends that. */
export function onHappened(listener: (line: EventLine) => void, onMissed?: (missed: Missed) => void): () => void {
  listeners.add(listener);
  if (onMissed !== undefined) missedBy.add(onMissed);
  return () => {
    listeners.delete(listener);
    if (onMissed !== undefined) missedBy.delete(onMissed);
  };
}

let open: { readonly query: string; readonly ends: AbortController; readonly openedAt: number; lastId: string } | undefined;
let waiting: Message[] = [];
let pauseMs = 0;
let again: ReturnType<typeof setTimeout> | undefined;
let hidden: ReturnType<typeof setTimeout> | undefined;

function become(state: Connection['state'], says?: string): void {
  const before = connection.peek();
  if (before.state === state && before.says === says) return;
  connection.value = { state, since: Date.now(), ...(says !== undefined && { says }) };
}

function close(): void {
  clearTimeout(again);
  open?.ends.abort();
  open = undefined;
  waiting = [];
}

/** Asks for what is on the screen, if it is not asked for already. */
function follow(lastId = ''): void {
  const wanted = query.peek();
  if (open?.query === wanted) return;
  close();
  if (wanted === '') return;
  open = { query: wanted, ends: new AbortController(), openedAt: Date.now(), lastId };
  void read(open);
}

async function read(stream: NonNullable<typeof open>): Promise<void> {
  const { signal: ends } = stream.ends;
  try {
    const answer = await ask(`stream?${stream.query}`, {
      headers: { Accept: 'text/event-stream', ...(stream.lastId !== '' && { 'Last-Event-ID': stream.lastId }) },
      signal: ends,
    });
    if (answer.status >= 400 && answer.status < 500 && answer.status !== TOO_MANY)
      return await refused(stream, await reasonOf(answer));
    if (!answer.ok || answer.body === null) throw new Error(`answered ${answer.status}`);
    await came();
    const messages = new SseReader();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      for (const message of messages.push(piece.value)) if (!take(stream, message)) return;
    }
  } catch {
    // A connection that fails is one that has ended.
  }
  if (open === stream) comeBack(stream);
}

async function reasonOf(answer: Response): Promise<string | undefined> {
  try {
    const said: Refused = await answer.json();
    return said.reason;
  } catch {
    return undefined;
  }
}

/** It answers: the same bridge as before, or another. */
async function came(): Promise<void> {
  const wasLive = connection.peek().state === 'live';
  become('live');
  if (wasLive) return;
  const before = session.peek()?.bridge;
  const said = await loadSession();
  if (said !== undefined && before !== undefined && said.bridge !== before) wasRestarted.value = said.startedAt;
}

async function refused(stream: NonNullable<typeof open>, says?: string): Promise<void> {
  if (open === stream) open = { ...stream, lastId: '' };
  become('over', says);
  const said = await loadSession();
  if (said?.auth && !said.mayRead) needLogin();
}

/** False: nothing comes after it. */
function take(stream: NonNullable<typeof open>, message: Message): boolean {
  if (open !== stream) return false;
  if (message.id !== undefined) stream.lastId = message.id;
  if (message.event === 'over') {
    stream.ends.abort();
    const over: Over = JSON.parse(message.data);
    if (over.reason === 'draining') {
      comeBack(stream);
      return false;
    }
    void refused(stream, over.says);
    return false;
  }
  // In one go for each frame: however much comes in, whoever types waits for one change of the screen.
  if (waiting.push(message) === 1) requestAnimationFrame(show);
  // There are no frames while nobody looks.
  if (waiting.length > WAITING_MOST) closeHidden();
  return true;
}

function show(): void {
  const messages = waiting;
  waiting = [];
  const asked = open?.query;
  if (asked === undefined) return;
  batch(() => {
    for (const { event, data } of messages) {
      const said = JSON.parse(data);
      if (event === 'view') showDelta(said, asked);
      else if (event === 'happened') for (const listener of listeners) listener(said);
      else if (event === 'missed') for (const listener of missedBy) listener(said);
      if (event !== 'view') happened.value = [...happened.peek(), said].slice(-MOST_HAPPENED);
    }
  });
}

function showDelta(delta: Delta, asked: string): void {
  if (delta.notServing !== undefined) failingCount.value = delta.notServing;
  const before = shown.peek();
  const view = new URLSearchParams(asked).get('view') as ViewName;
  // What of another view is still on the screen is no ground for a change of this one.
  if (delta.whole !== true && before?.query !== asked) return;
  if (delta.whole === true) happened.value = [];
  shown.value = { view, query: asked, ...applied(before, delta) };
}

function comeBack(stream: NonNullable<typeof open>): void {
  open = undefined;
  waiting = [];
  if (document.hidden && hidden === undefined) return;
  become('lost');
  // One that ends as soon as it is open is no reason to ask without a pause.
  if (Date.now() - stream.openedAt > PAUSE_MS.most) pauseMs = 0;
  // Not all pages of a bridge that is back at the same moment.
  const afterMs = pauseMs * (0.5 + Math.random() / 2);
  pauseMs = Math.min(PAUSE_MS.most, Math.max(PAUSE_MS.first, pauseMs * 2));
  clearTimeout(again);
  again = setTimeout(() => follow(stream.query === query.peek() ? stream.lastId : ''), afterMs);
}

function tryNow(): void {
  pauseMs = 0;
  clearTimeout(again);
  follow();
}

/** Begins, and goes on for as long as the page is there. */
export function startLive(): void {
  query.subscribe(() => follow());
  addEventListener('online', tryNow);
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hidden);
    hidden = undefined;
    if (!document.hidden) tryNow();
    else hidden = setTimeout(closeHidden, HIDDEN_FOR_MS);
  });
}

function closeHidden(): void {
  hidden = undefined;
  close();
  become('connecting');
}
