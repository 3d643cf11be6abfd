import { useState } from 'preact/hooks';
import { Banner } from '../parts/banner.tsx';
import { Field } from '../parts/dialog.tsx';
import { href } from '../route.ts';
import { login, logout, session } from '../session.ts';
import { viewTitle } from '../titles.ts';
import { words } from '../words.ts';

const t = words({
  en: {
    user: 'User name',
    password: 'Password',
    open: 'Nobody has to log in here: beatbridge was started without --auth.',
    on: 'To what is down now',
    no: 'You are {user}, and may read nothing here: {reason}',
    other: 'Log in as somebody else',
    checking: 'Checking …',
  },
  'zh-CN': {
    user: '用户名',
    password: '密码',
    open: '无需登录：beatbridge 启动时未启用 --auth。',
    on: '查看当前故障',
    no: '当前用户 {user} 无权查看：{reason}',
    other: '以其他用户登录',
    checking: '正在验证……',
  },
});

/** Who one is; once that is known, the session leads back to where one was. */
export function Login() {
  const [reason, refuse] = useState<string>();
  const [isUnderWay, setUnderWay] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isUnderWay || !(event.currentTarget instanceof HTMLFormElement)) return;
    const said = new FormData(event.currentTarget);
    setUnderWay(true);
    refuse(await login(String(said.get('username')), String(said.get('password'))));
    setUnderWay(false);
  };
  const { value } = session;
  if (value?.auth === false) return <Open />;
  if (value?.user !== undefined && !value.mayRead) return <Nothing user={value.user} reason={value.reason ?? ''} />;
  return (
    <form class="form login" onSubmit={submit}>
      <h1>{viewTitle('login')}</h1>
      {reason !== undefined && <Banner level="error">{reason}</Banner>}
      <Field name="username" label={t('user')} isRequired autoComplete="username" />
      <Field name="password" label={t('password')} kind="password" isRequired autoComplete="current-password" />
      <button type="submit" class="primary" disabled={isUnderWay}>
        {isUnderWay ? t('checking') : viewTitle('login')}
      </button>
    </form>
  );
}

function Open() {
  return (
    <div class="form login">
      <h1>{viewTitle('login')}</h1>
      <p>{t('open')}</p>
      <a href={href('now')}>{t('on')}</a>
    </div>
  );
}

/** He is who he says, and has no right here. */
function Nothing({ user, reason }: { readonly user: string; readonly reason: string }) {
  return (
    <div class="form login">
      <h1>{viewTitle('login')}</h1>
      <Banner level="error">{t('no', { user, reason })}</Banner>
      <button type="button" onClick={() => void logout()}>
        {t('other')}
      </button>
    </div>
  );
}
