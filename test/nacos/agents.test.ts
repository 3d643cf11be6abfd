import { expect, it } from 'vitest';
import { canBePushed, isGoClient, isJavaClient, takesBytes } from '../../src/nacos/agents.ts';
import { Switches } from '../../src/nacos/switches.ts';

it.each([
  ['Nacos-Java-Client:v1.0.0', true],
  ['Nacos-Java-Client:v0.0.9', false],
  ['Nacos-Java-Client', false],
  ['Nacos-Go-Client:v1.1.6', true],
  ['vip-client4cpp:v1.0.12', true],
  ['Nacos-C-Client:v1.1', true],
  ['Nacos-DNS:v0.4.2', false],
  ['Nacos-CSharp-Client:v0.9.0', true],
  ['', false],
])('that %j listens for datagrams is %s', (agent, capable) => {
  expect(canBePushed(agent, new Switches().values)).toBe(capable);
});

it.each([
  ['java', 'Nacos-Java-Client:v1.4.2'],
  ['go', 'Nacos-Go-Client:v1.1.6'],
  ['c', 'Nacos-C-Client:v1.1'],
  ['c', 'vip-client4cpp:v1.0.12'],
  ['python', 'Nacos-DNS:v0.4.3'],
  ['csharp', 'Nacos-CSharp-Client:v0.9.0'],
])('the switch for %s decides from which version on %s is pushed to', (language, agent) => {
  const switches = new Switches();
  expect(canBePushed(agent, switches.values)).toBe(true);
  switches.set('pushVersion', `${language}:9.0.0`);
  expect(canBePushed(agent, switches.values)).toBe(false);
  const [name = ''] = agent.split(':');
  expect(canBePushed(`${name}:v9.0.0`, switches.values)).toBe(true);
});

it.each([
  ['Nacos-Java-Client:v1.0.0', true, false],
  ['Nacos-Java-Client:v0.9.9', false, false],
  ['Nacos-Java-Client:v00', false, false],
  ['Nacos-Java-Client:v01', true, false],
  ['Nacos-Java-Client:v10.2', true, false],
  ['Nacos-Java-Client:v', false, false],
  ['Nacos-Java-Client:v-1', false, false],
  ['Nacos-Java-Client:vx', false, false],
  ['Nacos-Java-Client:1.0.0', false, false],
  ['Nacos-Go-Client:v1.1.6', false, true],
  ['curl/7.88.1', false, false],
])('%s is a Java client: %s, a Go client: %s', (agent, java, go) => {
  expect([isJavaClient(agent), isGoClient(agent)]).toEqual([java, go]);
});

it.each([
  ['Nacos-Java-Client:v2.5.1', 10],
  ['Nacos-Go-Client:v2.3.5', 10],
  ['Nacos-Python-Client:v3.2.0', 100],
  ['Nacos-Rust-Client:0.8.3', 4],
])('%s takes messages of %i MiB', (agent, mebibytes) => {
  expect(takesBytes(agent)).toBe(mebibytes << 20);
});
