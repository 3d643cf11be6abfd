import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { lookAt } from '../support/console-looks.ts';
import { FREE_PORTS, startProcess } from '../support/process.ts';

it('the console shows each option with where the process has it from', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'beatbridge-options-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'beatbridge.yaml');
  writeFileSync(config, 'maxServices: 70\nmaxWatches: 80\nwebhook: http://127.0.0.1:1/token-in-it\n');
  const env = { BEATBRIDGE_MAX_WATCHES: '90' };
  await using server = await startProcess([...FREE_PORTS, '--data-dir', 'none', '--config', config], env);
  const { options } = (await lookAt(server, 'server')).facts;
  const said = (flag: string) => options?.find((one) => one.flag === flag);
  expect(said('--data-dir')).toMatchObject({ value: 'none', source: 'flag' });
  expect(said('--max-watches')).toMatchObject({ value: '90', source: 'env' });
  expect(said('--max-services')).toMatchObject({ value: '70', source: 'file' });
  expect(said('--webhook')).toMatchObject({ value: '(hidden)', source: 'file' });
  // What the process does with it itself: the server is not given it.
  expect(said('--log-level')).toMatchObject({ source: 'default' });
  expect(said('--tls-cert')).toMatchObject({ value: '""', source: 'default' });
});
