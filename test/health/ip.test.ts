import { expect, it } from 'vitest';
import { canonicalIp } from '../../src/health/ip.ts';

it.each([
  ['10.0.0.1', '10.0.0.1'],
  ['my-host', 'my-host'],
  ['::1', '0:0:0:0:0:0:0:1'],
  ['::', '0:0:0:0:0:0:0:0'],
  ['[fe80:0:0:0:1:2:3:4]', 'fe80:0:0:0:1:2:3:4'],
  ['FE80::0001:2:3:4', 'fe80:0:0:0:1:2:3:4'],
  ['fe80::1%eth0', 'fe80:0:0:0:0:0:0:1%eth0'],
  ['::ffff:10.0.0.1', '0:0:0:0:0:ffff:a00:1'],
  ['2001:db8::', '2001:db8:0:0:0:0:0:0'],
  // None of these is an address: they stay as they are.
  ['1:2:3', '1:2:3'],
  ['1::2::3', '1::2::3'],
  ['1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:8:9'],
  ['g::1', 'g::1'],
])('%s is spelled %s', (text, spelled) => {
  expect(canonicalIp(text)).toBe(spelled);
});
