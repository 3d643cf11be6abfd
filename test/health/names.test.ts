import { expect, it } from 'vitest';
import { formatHealthName, parseHealthName } from '../../src/health/names.ts';

const service = (group: string, name: string) => ({ namespace: 'public', group, name });

it.each([
  ['', 'bridge'],
  ['orders', service('DEFAULT_GROUP', 'orders')],
  ['greet.GreetService', service('DEFAULT_GROUP', 'greet.GreetService')],
  ['G1@@orders', service('G1', 'orders')],
  ['providers:com.shop.Orders:1.0.0:', service('DEFAULT_GROUP', 'providers:com.shop.Orders:1.0.0:')],
  ['é'.repeat(512), service('DEFAULT_GROUP', 'é'.repeat(512))],
] as const)('%j is a health name', (text, name) => {
  expect(parseHealthName(text)).toEqual(name);
  expect(formatHealthName(name)).toBe(text);
});

it('a name in the default group may be written with it', () => {
  expect(parseHealthName('DEFAULT_GROUP@@orders')).toEqual(service('DEFAULT_GROUP', 'orders'));
});

it.each(['@@orders', 'G1@@', '@@', 'x'.repeat(1025), 'é'.repeat(513)])('%j is no health name', (text) => {
  expect(parseHealthName(text)).toBeUndefined();
});
