import { effect, signal } from '@preact/signals';
import type { Action, Done, Login, Refused, Session } from '../../src/console/api.ts';
import { go, href, route } from './route.ts';
import { words } from './words.ts';

const t = words({ en: { lost: 'the bridge does not answer' }, 'zh-CN': { lost: '服务器没有响应' } });

/** Who looks, and what he may; undefined until the bridge has said so. */
export const session = signal<Session>();
/** By how much the server's clock is ahead of this one. */
export const offsetMs = signal(0);

const KEPT_AS = 'beatbridge.token';
const API = 'console/api/';
const accessToken = signal(kept());
const tabs = globalThis.BroadcastChannel && globalThis.document ? new BroadcastChannel('beatbridge') : undefined;

function kept(): string {
  return globalThis.sessionStorage?.getItem(KEPT_AS) ?? '';
}

function keep(token: string): void {
  accessToken.value = token;
  if (token === '') sessionStorage.removeItem(KEPT_AS);
  else sessionStorage.setItem(KEPT_AS, token);
}

/** A login is this tab's, and of those opened beside it: they ask, and who has one tells. */
function shareLogin(): void {
  if (tabs === undefined) return;
  tabs.onmessage = ({ data }: MessageEvent<{ readonly asks?: true; readonly token?: string }>) => {
    if (data.asks && accessToken.peek() !== '') tabs.postMessage({ token: accessToken.peek() });
    if (data.token === undefined || data.token === accessToken.peek()) return;
    keep(data.token);
    void loadSession();
  };
  if (accessToken.peek() === '') tabs.postMessage({ asks: true });
}

/** What the server answers at `console/api/`, asked with whatever login there is. */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (accessToken.peek() !== '') headers.set('Authorization', `Bearer ${accessToken.peek()}`);
  return fetch(API + path, { cache: 'no-store', ...init, headers });
}

export async function loadSession(): Promise<Session | undefined> {
  try {
    const answer = await ask('session');
    if (!answer.ok) return undefined;
    const said: Session = await answer.json();
    offsetMs.value = said.now - Date.now();
    session.value = said;
    return said;
  } catch {
    return undefined;
  }
}

export function startSession(): void {
  shareLogin();
  effect(() => {
    const { value } = session;
    if (value?.auth && !value.mayRead && value.user === undefined) needLogin();
    const { view, params } = route.value;
    // This tab has logged in, or one beside it that has told.
    if (view === 'login' && value?.user !== undefined && value.mayRead) go(params.to ?? href('now'), 'replace');
  });
}

/** To the login, and back to where one was. */
export function needLogin(): void {
  const { view } = route.peek();
  if (view !== 'login') go(href('login', { to: location.hash }), 'replace');
}

/** The rules for all pages refuse in the words of Nacos. */
function reasonIn(said: unknown, status: number): string {
  const { reason, message } = said as Partial<Refused> & { readonly message?: string };
  return reason ?? message ?? String(status);
}

type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

async function post<T>(path: string, body: unknown): Promise<Outcome<T>> {
  try {
    const answer = await ask(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Console-Token': session.peek()?.token ?? '' },
      body: JSON.stringify(body),
    });
    const said: unknown = await answer.json();
    // The contract of what the server answers is `api.ts`.
    return answer.ok ? { ok: true, value: said as T } : { ok: false, reason: reasonIn(said, answer.status) };
  } catch (error) {
    return { ok: false, reason: error instanceof TypeError ? t('lost') : String(error) };
  }
}

/** Undefined: logged in; else why not. */
export async function login(username: string, password: string): Promise<string | undefined> {
  const outcome = await post<Login>('login', { username, password });
  if (!outcome.ok) return outcome.reason;
  keep(outcome.value.accessToken);
  tabs?.postMessage({ token: outcome.value.accessToken });
  await loadSession();
  return undefined;
}

export async function logout(): Promise<void> {
  keep('');
  tabs?.postMessage({ token: '' });
  await loadSession();
}

/** Changes something at the bridge. */
export function act(action: Action): Promise<Outcome<Done>> {
  return post<Done>('act', action);
}
