import { effect } from '@preact/signals';
import { render } from 'preact';
import { App } from './app.tsx';
import { startKeys } from './keys.ts';
import { startLive } from './live.ts';
import { route } from './route.ts';
import { loadSession, startSession } from './session.ts';
import './style.css';
import { startTheme } from './theme.ts';
import { startTitle } from './title.ts';
import { load } from './views.ts';

startTheme();
startTitle();
startKeys();
startSession();
effect(() => {
  // When they could not be loaded, whoever goes elsewhere tries again.
  if (route.value.view !== 'login') void load();
});
const root = document.getElementById('app');
if (root !== null) render(<App />, root);
await loadSession();
startLive();
