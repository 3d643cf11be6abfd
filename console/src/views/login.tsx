import { useState } from 'preact/hooks';
import { Banner } from '../parts/banner.tsx';
import { Field } from '../parts/dialog.tsx';
import { login } from '../session.ts';
import { viewTitle } from '../titles.ts';
import { words } from '../words.ts';

const t = words({
  en: { user: 'User name', password: 'Password' },
  'zh-CN': { user: '用户名', password: '密码' },
});

/** Who one is; once that is known, the session leads back to where one was. */
export function Login() {
  const [reason, refuse] = useState<string>();
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const said = new FormData(event.currentTarget);
    refuse(await login(String(said.get('username')), String(said.get('password'))));
  };
  return (
    <form class="form login" onSubmit={submit}>
      <h1>{viewTitle('login')}</h1>
      {reason !== undefined && <Banner level="error">{reason}</Banner>}
      <Field name="username" label={t('user')} isRequired />
      <Field name="password" label={t('password')} kind="password" isRequired />
      <button type="submit" class="primary">
        {viewTitle('login')}
      </button>
    </form>
  );
}
