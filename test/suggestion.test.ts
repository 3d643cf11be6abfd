import { expect, it } from 'vitest';
import { suggestion } from '../src/suggestion.ts';

const KNOWN = ['--port', '--grpc-port', '--push-delay', 'BEATBRIDGE_HEALTH_PORT', 'serve', 'tokenTtlSeconds'];

it.each([
  // A letter swapped, left out, added or changed.
  ['--prot', '--port'],
  ['--prt', '--port'],
  ['--portt', '--port'],
  ['--pord', '--port'],
  // Spelled as it is elsewhere.
  ['grpcPort', '--grpc-port'],
  ['--grpc_port', '--grpc-port'],
  ['BEATBRIDGE_HEALTHPORT', 'BEATBRIDGE_HEALTH_PORT'],
  ['--push-delay-ms', '--push-delay'],
  ['serv', 'serve'],
  // Its unit left out.
  ['tokenTtl', 'tokenTtlSeconds'],
])('%s means %s', (name, meant) => {
  expect(suggestion(name, KNOWN)).toBe(`, did you mean ${meant}?`);
});

it.each(['', '--', '--x', 'tok', '--colour', 'orders', '__proto__', 'x'.repeat(10_000)])('%j means none of them', (name) => {
  expect(suggestion(name, KNOWN)).toBe('');
});
