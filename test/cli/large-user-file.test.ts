import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { FREE_PORTS, startProcess } from '../support/process.ts';

const folder = mkdtempSync(join(tmpdir(), 'beatbridge-large-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HASH = `$scrypt$ln=15,r=8,p=3$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const line = (name: string, roles: string) => `  ${name}: { password: "${HASH}", roles: [${roles}] }\n`;

it('a large user file is read beside the loop, at the start and later, and one that is no file at all hurts nobody', {
  timeout: 60_000,
}, async () => {
  const userFile = join(folder, 'users.yaml');
  // Too long to be read on the loop, and not so long that it takes a machine with others on it seconds.
  const many = `users:\n${line('root', 'admin')}${Array.from({ length: 1_000 }, (_, i) => line(`user${i}`, 'reader')).join('')}`;
  writeFileSync(userFile, many, { mode: 0o600 });
  await using bridge = await startProcess([...FREE_PORTS, '--auth', '--data-dir', folder, '--user-file', userFile]);
  const said = async (text: string) => {
    while (!bridge.log().includes(text)) if (bridge.child.stderr !== null) await once(bridge.child.stderr, 'data');
  };
  writeFileSync(userFile, `${many}${line('eve', '{ toString: 1 }')}`);
  await said('user \\"eve\\": roles must be a list of texts');
  writeFileSync(userFile, `${many}${line('bob', 'reader')}`);
  await said('the user file was read anew');
  const alive = await fetch(`http://${bridge.listeners.main}/livez`);
  expect(alive.status).toBe(200);
});
