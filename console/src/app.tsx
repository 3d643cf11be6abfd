import { absolute, isAbsolute, setAbsolute } from './clock.tsx';
import { Help } from './help.tsx';
import { isHelpOpen } from './keys.ts';
import { connection, query, shown, wasRestarted } from './live.ts';
import { Skeleton } from './parts/empty.tsx';
import { Toasts } from './parts/toasts.tsx';
import { go, href, type PageName, route } from './route.ts';
import { logout, session } from './session.ts';
import { setTheme, THEMES, theme } from './theme.ts';
import { failingCount } from './title.ts';
import { viewTitle } from './titles.ts';
import { Login } from './views/login.tsx';
import { isUnloadable, loaded } from './views.ts';
import { LANGUAGES, language, setLanguage, words } from './words.ts';

const t = words({
  en: {
    skip: 'Skip to content',
    views: 'Views',
    find: 'Find a service',
    connecting: 'connecting',
    live: 'live',
    lost: 'connection lost, trying again',
    lostSince: 'This is what was known {at}. Connection lost, trying again.',
    over: 'The bridge no longer answers this page',
    refused: 'You may not read this: {reason}',
    restarted: 'Connected again. beatbridge was restarted: it has been back since {at}.',
    unloadable: 'A part of the page could not be loaded: it may have been updated.',
    reload: 'Load again',
    notFound: 'There is no such page.',
    toNow: 'To what is down now',
    theme: 'Theme',
    system: 'system',
    light: 'light',
    dark: 'dark',
    language: 'Language',
    times: 'Times',
    relative: 'ago',
    absolute: 'clock',
    keys: 'Keys',
    logout: 'Log out',
    failing: '{count} not serving',
  },
  'zh-CN': {
    skip: '跳到内容',
    views: '视图',
    find: '查找服务',
    connecting: '连接中',
    live: '实时',
    lost: '连接中断，正在重连',
    lostSince: '以下为 {at} 的信息。连接中断，正在重连。',
    over: '服务器不再响应此页面',
    refused: '无权查看：{reason}',
    restarted: '已恢复连接。beatbridge 曾重启，启动时间：{at}。',
    unloadable: '页面的一部分无法加载，可能已更新。',
    reload: '重新加载',
    notFound: '没有这个页面。',
    toNow: '查看当前故障',
    theme: '主题',
    system: '跟随系统',
    light: '浅色',
    dark: '深色',
    language: '语言',
    times: '时间',
    relative: '相对',
    absolute: '绝对',
    keys: '快捷键',
    logout: '退出登录',
    failing: '{count} 个不可用',
  },
});

const NAV: readonly PageName[] = ['now', 'services', 'events', 'clients', 'pushes', 'name', 'server'];
/** To which of them one that is not among them belongs. */
const BELONGS: Partial<Record<PageName, PageName>> = { service: 'services', instance: 'services', client: 'clients' };

/** The frame, and in it the view that the address names. */
export function App() {
  return (
    <>
      <button type="button" class="skip" onClick={toMain}>
        {t('skip')}
      </button>
      <Header />
      <Nav />
      <main id="main" tabIndex={-1}>
        <Said />
        <View />
      </main>
      <Toasts />
      {isHelpOpen.value && <Help />}
    </>
  );
}

function toMain(): void {
  document.getElementById('main')?.focus();
}

function Header() {
  const user = session.value?.user;
  return (
    <header class="top">
      <a class="brand" href={href('now')}>
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M3 17h6l3-8 5 15 4-10 2 3h6" />
        </svg>
        beatbridge
      </a>
      <search class="find">
        <form onSubmit={find}>
          <input type="search" name="search" placeholder={`${t('find')}  /`} aria-label={t('find')} />
        </form>
      </search>
      <Live />
      <div class="choices">
        <Choice
          label={t('times')}
          value={isAbsolute.value ? 'absolute' : 'relative'}
          onChange={(to) => setAbsolute(to === 'absolute')}
        >
          {{ relative: t('relative'), absolute: t('absolute') }}
        </Choice>
        <Choice label={t('theme')} value={theme.value} onChange={(to) => setTheme(THEMES.find((one) => one === to) ?? 'system')}>
          {{ system: t('system'), light: t('light'), dark: t('dark') }}
        </Choice>
        <Choice
          label={t('language')}
          value={language.value}
          onChange={(to) => setLanguage(LANGUAGES.find((one) => one === to) ?? 'en')}
        >
          {{ en: 'English', 'zh-CN': '中文' }}
        </Choice>
        <button type="button" class="quiet" aria-label={t('keys')} title={t('keys')} onClick={() => (isHelpOpen.value = true)}>
          ?
        </button>
        {user !== undefined && (
          <button type="button" class="quiet" title={t('logout')} onClick={() => void logout()}>
            {user} ⏻
          </button>
        )}
      </div>
    </header>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (to: string) => void;
  readonly children: Readonly<Record<string, string>>;
}

function Choice({ label, value, onChange, children }: ChoiceProps) {
  return (
    <select
      class="quiet"
      aria-label={label}
      title={label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      {Object.entries(children).map(([key, says]) => (
        <option key={key} value={key}>
          {says}
        </option>
      ))}
    </select>
  );
}

function find(event: SubmitEvent): void {
  event.preventDefault();
  if (!(event.currentTarget instanceof HTMLFormElement)) return;
  const search = new FormData(event.currentTarget).get('search');
  if (typeof search === 'string') go(href('services', { search }));
  event.currentTarget.reset();
}

const SIGNS = { connecting: '◌', live: '●', lost: '✕', over: '✕' } as const;

function Live() {
  const { state } = connection.value;
  const failing = failingCount.value;
  return (
    <span class="live" data-state={state}>
      <span aria-hidden="true">{SIGNS[state]}</span> <span>{t(state)}</span>
      {failing > 0 && (
        <a class="bad" href={href('now')}>
          ▲ {t('failing', { count: failing })}
        </a>
      )}
    </span>
  );
}

function Nav() {
  const { view } = route.value;
  const current = BELONGS[view] ?? view;
  return (
    <nav class="views" aria-label={t('views')}>
      {NAV.map((name) => (
        <a key={name} href={href(name)} aria-current={name === current ? 'page' : undefined}>
          {viewTitle(name)}
        </a>
      ))}
    </nav>
  );
}

/** What has become of the connection: read out, too. */
function Said() {
  const { state, since, says } = connection.value;
  const reason = says ?? session.value?.reason;
  const restarted = wasRestarted.value;
  return (
    <div role="status" class="said">
      {state === 'lost' && <p class="banner warn">{t('lostSince', { at: absolute(since) })}</p>}
      {state === 'over' && route.value.view !== 'login' && (
        <p class="banner error">{reason === undefined ? t('over') : t('refused', { reason })}</p>
      )}
      {state === 'live' && restarted !== undefined && (
        <p class="banner info">
          {t('restarted', { at: absolute(restarted) })}{' '}
          <button type="button" class="quiet" aria-label="OK" onClick={() => (wasRestarted.value = undefined)}>
            ✕
          </button>
        </p>
      )}
      {isUnloadable.value && (
        <p class="banner error">
          {t('unloadable')}{' '}
          <button type="button" onClick={() => location.reload()}>
            {t('reload')}
          </button>
        </p>
      )}
    </div>
  );
}

function View() {
  const { view } = route.value;
  if (view === 'login') return <Login />;
  if (view === 'unknown') {
    return (
      <>
        <h1>{viewTitle('unknown')}</h1>
        <p>
          {t('notFound')} <a href={href('now')}>{t('toNow')}</a>
        </p>
      </>
    );
  }
  if (connection.value.state === 'over') return null;
  const known = shown.value;
  const Shown = known && loaded.value?.[known.view];
  if (known === undefined || Shown === undefined) return <Skeleton />;
  const isOld = known.query !== query.value;
  return (
    <div class={isOld || connection.value.state === 'lost' ? 'view old' : 'view'} aria-busy={isOld}>
      <Shown key={known.view} facts={known.facts} rows={known.rows} />
    </div>
  );
}
