import { expect, it } from 'vitest';
import { readAction } from '../../src/console/read-action.ts';

it.each([
  ['['.repeat(30_000) + ']'.repeat(30_000), 'an action must be a JSON object, got ["..."]'],
  [`${'{"":'.repeat(10_000)}1${'}'.repeat(10_000)}`, /^do must be one of .*, got nothing$/],
])('an action that is nested too deep to be shown is refused in words', (text, reason) => {
  expect(readAction(JSON.parse(text))).toEqual(typeof reason === 'string' ? reason : expect.stringMatching(reason));
});
