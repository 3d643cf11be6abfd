import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where the system's Chromium is: as `CHROMIUM` says, or the first on PATH. Undefined where there is none. */
export const CHROMIUM = process.env.CHROMIUM ?? onPath(['chromium', 'chromium-browser', 'google-chrome']);

function onPath(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}
